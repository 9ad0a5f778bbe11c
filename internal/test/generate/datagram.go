package generate

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Datagram returns messages that are equal or similar to those of the kernel: replies, errors,
// ends of dumps, families. One datagram in three is damaged.
func (g Generator) Datagram() []byte {
	var b []byte
	for range 1 + g.IntN(3) {
		b = append(b, g.Message()...)
		if !g.one(16) {
			b = append(b, make([]byte, -len(b)&3)...)
		}
	}
	if g.one(3) {
		b = g.Spoil(b)
	}
	return b
}

// Message returns one message, not padded.
func (g Generator) Message() []byte {
	switch g.IntN(6) {
	case 0, 1:
		return g.Answer()
	case 2:
		return g.Family()
	case 3:
		return g.frame(nlmsg.Type(g.IntN(5)), nlmsg.Flags(g.Uint32()), g.Bytes(g.IntN(24)))
	}
	return g.frame(nlmsg.Type(0x10+g.IntN(40)), g.flags(), append([]byte{byte(g.IntN(12)), 1, 0, 0}, g.Attributes()...))
}

// Attributes returns a stream for an arbitrary policy.
func (g Generator) Attributes() []byte {
	return g.Stream(&policy.Policy{Attrs: make([]policy.Rule, 1+g.IntN(8))})
}

func (g Generator) frame(typ nlmsg.Type, flags nlmsg.Flags, payload []byte) []byte {
	b := nlmsg.Begin(nil, typ, flags, uint32(g.IntN(3)), uint32(g.IntN(3)))
	b = append(b, payload...)
	return nlmsg.End(b, 0)[:len(b)]
}

func (g Generator) flags() nlmsg.Flags {
	return pick(g, 0, nlmsg.FlagMulti, nlmsg.FlagRequest|nlmsg.FlagAck, nlmsg.FlagMulti|nlmsg.FlagDumpIntr, nlmsg.Flags(g.Uint32()))
}

// Answer returns an Error or a Done, mostly as the kernel composes them.
func (g Generator) Answer() []byte {
	request := g.frame(nlmsg.Type(0x10+g.IntN(4)), nlmsg.FlagRequest, g.Bytes(g.IntN(20)))
	e := nlmsg.ExtAck{Errno: pick(g, 0, 0, errno.ENOENT, errno.EINVAL, errno.ERANGE, errno.Errno(g.Uint32())), Request: request}
	if g.one(3) {
		e.Msg = g.Bytes(g.IntN(12))
	}
	if g.one(3) {
		e.Cookie = g.Bytes(g.IntN(9))
	}
	if g.one(3) {
		e.Policy = policywire.AppendRule(nil, &policy.Rule{Kind: policy.Kind(g.IntN(22))})
	}
	for _, number := range []*uint32{&e.Offset, &e.MissNest, &e.MissType} {
		if g.one(3) {
			*number = uint32(g.IntN(44))
		}
	}
	opts := nlmsg.AckOptions{PortID: 1, Cap: g.one(2), Ext: !g.one(3)}
	b := nlmsg.AppendAck(nil, &e, opts)
	if g.one(3) {
		b = nlmsg.AppendDone(nil, &e, g.flags()&nlmsg.FlagDumpIntr, opts)
	}
	if g.one(8) { // another attribute, of any size
		b = nla.AppendBytes(b, uint16(1+g.IntN(7)), g.Bytes(g.IntN(6)))
		b = nlmsg.End(b, 0)
	}
	if g.one(6) { // with flags that do not match its content
		nlmsg.Msg(b).SetFlags(pick(g, 0, nlmsg.FlagMulti, nlmsg.FlagAckTLVs, nlmsg.FlagCapped, nlmsg.FlagAckTLVs|nlmsg.FlagCapped, nlmsg.Flags(g.Uint32())))
	}
	return b
}

// Family returns a message of the controller, sometimes with attributes that are missing,
// duplicated, or of another size.
func (g Generator) Family() []byte {
	attrs := nla.AppendBytes(nil, genlmsg.CtrlAttrFamilyName, g.familyName())
	attrs = nla.AppendUint16(attrs, genlmsg.CtrlAttrFamilyID, uint16(g.IntN(40)))
	for range g.IntN(6) {
		attrs = g.familyAttribute(attrs)
	}
	if g.one(12) {
		attrs = attrs[nla.Align(int(binary.NativeEndian.Uint16(attrs))):] // no name
	}
	if g.one(12) { // the last attribute lacks its padding
		attrs = nla.AppendUint8(attrs, 99, 1)
		attrs = attrs[:len(attrs)-3]
	}
	cmd := pick[byte](g, genlmsg.CtrlCmdNewFamily, genlmsg.CtrlCmdDelFamily, genlmsg.CtrlCmdNewMulticastGroup, genlmsg.CtrlCmdDelMulticastGroup, byte(g.IntN(12)))
	typ := nlmsg.Type(genlmsg.IDCtrl)
	if g.one(20) {
		typ++
	}
	return g.frame(typ, g.flags(), append([]byte{cmd, genlmsg.CtrlVersion, 0, 0}, attrs...))
}

func (g Generator) name() []byte {
	b := g.Bytes(g.IntN(8))
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return b
}

// familyName returns a name with its NUL, sometimes too long or with several NULs.
func (g Generator) familyName() []byte {
	name := append(g.name(), 0)
	for g.one(8) {
		name = append(append(name, g.Bytes(9)...), 0)
	}
	return name
}

func (g Generator) familyAttribute(b []byte) []byte {
	switch typ := uint16(1 + g.IntN(11)); {
	case g.one(10):
		return nla.AppendBytes(b, typ, g.Bytes(g.IntN(10)))
	case typ == genlmsg.CtrlAttrFamilyName:
		return nla.AppendCString(b, typ, string(g.name()))
	case typ == genlmsg.CtrlAttrFamilyID:
		return nla.AppendUint16(b, typ, uint16(g.Uint32()))
	case g.one(10):
		return nla.AppendUint32(b, typ|pick[uint16](g, nla.Nested, nla.NetByteOrder), g.Uint32())
	case typ == genlmsg.CtrlAttrOps || typ == genlmsg.CtrlAttrMulticastGroups:
		return g.array(b, typ)
	default:
		return nla.AppendUint32(b, typ, g.Uint32())
	}
}

// array appends operations or groups.
func (g Generator) array(b []byte, typ uint16) []byte {
	outer := len(b)
	b = nla.BeginNoFlag(b, typ)
	for i := range g.IntN(4) {
		entry := len(b)
		b = nla.BeginNoFlag(b, uint16(i+1))
		for range g.IntN(4) {
			switch inner := uint16(1 + g.IntN(3)); {
			case g.one(12):
				b = nla.AppendBytes(b, inner, g.Bytes(g.IntN(6)))
			case typ == genlmsg.CtrlAttrMulticastGroups && inner == genlmsg.CtrlAttrMulticastGroupName:
				b = nla.AppendCString(b, inner, string(g.name()))
			default:
				b = nla.AppendUint32(b, inner, uint32(g.IntN(64)))
			}
		}
		b = nla.End(b, entry)
	}
	return nla.End(b, outer)
}

// Spoil damages bytes: it cuts, extends or flips them, or writes another length at the position
// of a length field.
func (g Generator) Spoil(b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + g.IntN(2) {
		switch at := 4 * g.IntN(len(b)/4+1); {
		case g.one(4):
			b = b[:len(b)-g.IntN(min(len(b), 20)+1)]
		case g.one(4):
			b = append(b, g.Bytes(1+g.IntN(19))...)
		case at+4 > len(b):
		case g.one(3):
			b[at+g.IntN(4)] ^= 1 << g.IntN(8)
		case g.one(2):
			binary.NativeEndian.PutUint16(b[at:], uint16(pick(g, 0, 1, 3, 4, 5, 8, 9, len(b)-at-1, len(b)-at, len(b)-at+1, 65535)))
		default:
			binary.NativeEndian.PutUint32(b[at:], uint32(pick(g, 0, 15, 16, 17, 20, len(b)-at-1, len(b)-at, len(b)-at+1, 1<<31-1, -1<<31, -4, -1)))
		}
	}
	return b
}
