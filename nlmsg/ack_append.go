package nlmsg

import (
	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nla"
)

// AckOptions describe the requesting socket: where the answer goes, and the options that
// shape it.
type AckOptions struct {
	PortID uint32
	Cap    bool // NETLINK_CAP_ACK: do not repeat the payload of the request
	Ext    bool // NETLINK_EXT_ACK: add the extended ACK
}

// AppendAck appends the Error message that the kernel would answer e.Request with
// (netlink_ack); an errno of 0 acknowledges.
//
// The payload of the request is repeated on an error, unless opts.Cap; offsets
// that lie outside the request are left out, as are all TLVs but the text and
// the cookie on success. A text that does not fit into an attribute is cut; such a cookie or
// policy panics. A request below HeaderLen bytes is
// repeated with zeros after it. A text with
// its NUL, a cookie or a policy over nla.MaxPayload panics, as in AppendDone.
func AppendAck(b []byte, e *ExtAck, opts AckOptions) []byte {
	var flags Flags
	echo := e.Request
	if e.Errno == 0 || opts.Cap {
		flags |= FlagCapped
		echo = echo[:min(len(echo), echoLen)]
	}
	isExt := e.hasTLVs(opts)
	if isExt {
		flags |= FlagAckTLVs
	}
	mark := len(b)
	b = Begin(b, TypeError, flags, e.Request.Seq(), opts.PortID)
	b = ne.AppendUint32(b, -uint32(e.Errno))
	b = append(b, echo...)
	for n := len(echo); n < echoLen; n++ {
		b = append(b, 0)
	}
	b = native.Pad(b, max(len(echo), echoLen))
	if isExt {
		b = e.append(b)
	}
	return End(b, mark)
}

// AppendDone appends the Done message that ends the dump which e.Request asked for
// (netlink_dump_done): Multi and the given flags (DumpIntr, DumpFiltered), the errno, and
// the TLVs directly after it. e.Request must be set, which it is not in an ExtAck of
// ParseDone. opts.Cap has no effect.
func AppendDone(b []byte, e *ExtAck, flags Flags, opts AckOptions) []byte {
	flags |= FlagMulti
	isExt := e.hasTLVs(opts)
	if isExt {
		flags |= FlagAckTLVs
	}
	mark := len(b)
	b = Begin(b, TypeDone, flags, e.Request.Seq(), opts.PortID)
	b = ne.AppendUint32(b, -uint32(e.Errno))
	if isExt {
		b = e.append(b)
	}
	return End(b, mark)
}

// hasTLVs reports whether anything is to be sent besides the errno (netlink_ack_tlv_len).
// A success carries the text and the cookie only.
func (e *ExtAck) hasTLVs(opts AckOptions) bool {
	switch {
	case !opts.Ext:
		return false
	case e.Msg != nil || e.Cookie != nil:
		return true
	}
	return e.Errno != 0 && (e.Offset != 0 || e.Policy != nil || e.MissType != 0 || e.MissNest != 0)
}

// append writes the TLVs in the kernel's order (netlink_ack_tlv_fill). An
// offset must lie in the request.
func (e *ExtAck) append(b []byte) []byte {
	// Of the request in a capped answer there is only the header, with the length of it all.
	length := max(uint64(len(e.Request)), uint64(e.Request.Header().Len))
	inside := func(offset uint32) bool { return offset != 0 && uint64(offset) < length }
	if e.Msg != nil {
		mark := len(b)
		b = nla.BeginNoFlag(b, AttrMsg)
		b = append(append(b, e.Msg[:min(len(e.Msg), nla.MaxPayload-1)]...), 0)
		b = nla.End(b, mark)
	}
	if e.Cookie != nil {
		b = nla.AppendBytes(b, AttrCookie, e.Cookie)
	}
	if e.Errno == 0 {
		return b
	}
	if inside(e.Offset) {
		b = nla.AppendUint32(b, AttrOffs, e.Offset)
	}
	if e.Policy != nil {
		b = nla.AppendBytes(b, AttrPolicy|nla.Nested, e.Policy)
	}
	if e.MissType != 0 {
		b = nla.AppendUint32(b, AttrMissType, e.MissType)
	}
	if inside(e.MissNest) {
		b = nla.AppendUint32(b, AttrMissNest, e.MissNest)
	}
	return b
}
