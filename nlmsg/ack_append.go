package nlmsg

import (
	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nla"
)

// AckOptions describe the requesting socket: the address of the answer, and the socket options
// that change its form.
type AckOptions struct {
	PortID uint32
	Cap    bool // NETLINK_CAP_ACK: do not repeat the payload of the request
	Ext    bool // NETLINK_EXT_ACK: add the extended ACK
}

// AppendAck appends the Error message with which the kernel answers e.Request (netlink_ack). If
// e.Errno is 0, it is an acknowledgement.
//
// An error repeats the payload of the request, unless opts.Cap is set. A request shorter than
// HeaderLen is padded with zeros. Offsets outside the request are omitted. An acknowledgement
// contains only the text and the cookie of the extended ACK. A text that does not fit into an
// attribute is cut. A cookie or policy longer than nla.MaxPayload panics, as in AppendDone.
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

// AppendDone appends the Done message that ends the dump of e.Request (netlink_dump_done): its
// flags are FlagMulti and the given ones (FlagDumpIntr, FlagDumpFiltered), its payload is the
// errno and, directly after it, the TLVs. e.Request must be set; ParseDone does not set it.
// opts.Cap has no effect.
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

// hasTLVs reports whether there are TLVs to send (netlink_ack_tlv_len). An acknowledgement
// carries only the text and the cookie.
func (e *ExtAck) hasTLVs(opts AckOptions) bool {
	switch {
	case !opts.Ext:
		return false
	case e.Msg != nil || e.Cookie != nil:
		return true
	}
	return e.Errno != 0 && (e.Offset != 0 || e.Policy != nil || e.MissType != 0 || e.MissNest != 0)
}

// append writes the TLVs in the kernel's order (netlink_ack_tlv_fill). It omits offsets outside
// the request.
func (e *ExtAck) append(b []byte) []byte {
	// A capped answer contains only the header of the request, with the length of the whole
	// request.
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
