package generate

import (
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// RequestFlags returns the flags of a request, most of them valid.
func (g Generator) RequestFlags() nlmsg.Flags {
	flags := nlmsg.FlagRequest
	if g.IntN(3) != 0 {
		flags |= nlmsg.FlagAck
	}
	if g.IntN(3) == 0 {
		flags |= nlmsg.FlagDump
	}
	switch {
	case g.one(20):
		flags ^= nlmsg.Flags(1) << g.IntN(16)
	case g.one(100):
		flags = nlmsg.Flags(g.Uint32())
	}
	return flags
}

// Request makes a Generic Netlink request. body contains the user header and the attributes.
// Some requests have reserved bits, are too short, or have a wrong length.
func (g Generator) Request(typ nlmsg.Type, flags nlmsg.Flags, seq uint32, cmd uint8, body []byte) []byte {
	b := nlmsg.Begin(nil, typ, flags, seq, uint32(g.IntN(3)))
	header := genlmsg.Append(nil, cmd, uint8(g.IntN(4)))
	if g.one(30) {
		header[2+g.IntN(2)] = byte(g.IntN(3)) // the reserved field
	}
	b = append(append(b, header...), body...)
	if g.one(40) { // too short for its headers
		b = b[:nlmsg.HeaderLen+g.IntN(len(header)+1)]
	}
	b = nlmsg.End(b, 0)
	if g.one(60) { // a wrong length
		n := nla.AppendUint32(nil, 0, uint32(g.IntN(2*len(b))))
		copy(b, n[4:])
	}
	return b
}
