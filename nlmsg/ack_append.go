package nlmsg

import "github.com/nlwire/nlwire/nla"

// AckOptions are the options of the requesting socket that shape its answers.
type AckOptions struct {
	Cap bool // NETLINK_CAP_ACK: do not repeat the payload of the request
	Ext bool // NETLINK_EXT_ACK: add the extended ACK
}

// AppendAck appends the Error message that the kernel would answer req with
// (netlink_ack): portID is that of the requesting socket, errno is positive,
// 0 acknowledges. ext may be nil.
//
// The payload of the request is repeated on an error, unless opts.Cap; offsets
// that lie outside the request are left out, as are all TLVs but the text and
// the cookie on success. A req below HeaderLen bytes has a zero header.
func AppendAck(b []byte, req Msg, portID uint32, errno uint32, ext *ExtAck, opts AckOptions) []byte {
	var flags Flags
	echo := req
	if errno == 0 || opts.Cap {
		flags |= Capped
		echo = req[:min(len(req), echoLen)]
	}
	ext = ext.reported(errno, opts)
	if ext != nil {
		flags |= AckTLVs
	}
	b, mark := Begin(b, Error, flags, req.Seq(), portID)
	b = ne.AppendUint32(b, -errno)
	b = append(b, echo...)
	for n := len(echo); n < echoLen || n%AlignTo != 0; n++ {
		b = append(b, 0)
	}
	if ext != nil {
		b = ext.append(b, errno, len(req))
	}
	return End(b, mark)
}

// AppendDone appends the Done message that ends the dump which req asked for
// (netlink_dump_done): Multi and the given flags (DumpIntr, DumpFiltered), the
// errno, and the TLVs directly behind it. opts.Cap has no effect on it.
func AppendDone(b []byte, req Msg, portID uint32, flags Flags, errno uint32, ext *ExtAck, opts AckOptions) []byte {
	flags |= Multi
	ext = ext.reported(errno, opts)
	if ext != nil {
		flags |= AckTLVs
	}
	b, mark := Begin(b, Done, flags, req.Seq(), portID)
	b = ne.AppendUint32(b, -errno)
	if ext != nil {
		b = ext.append(b, errno, len(req))
	}
	return End(b, mark)
}

// The TLVs that a success carries, and those that an error does.
const (
	successTLVs = 1<<AttrMsg | 1<<AttrCookie
	errorTLVs   = successTLVs | 1<<AttrOffs | 1<<AttrPolicy | 1<<AttrMissType | 1<<AttrMissNest
)

// reported returns e if any of it is to be sent, else nil (netlink_ack_tlv_len).
func (e *ExtAck) reported(errno uint32, opts AckOptions) *ExtAck {
	sent := uint8(successTLVs)
	if errno != 0 {
		sent = errorTLVs
	}
	if e == nil || !opts.Ext || e.present&sent == 0 {
		return nil
	}
	return e
}

// append writes the TLVs in the kernel's order (netlink_ack_tlv_fill). An
// offset must lie in the request, which has reqLen bytes.
func (e *ExtAck) append(b []byte, errno uint32, reqLen int) []byte {
	if e.Has(AttrMsg) {
		var mark int
		b, mark = nla.BeginNoFlag(b, AttrMsg)
		b = append(append(b, e.Msg...), 0)
		b = nla.End(b, mark)
	}
	if e.Has(AttrCookie) {
		b = nla.AppendBytes(b, AttrCookie, e.Cookie)
	}
	if errno == 0 {
		return b
	}
	if e.Has(AttrOffs) && uint64(e.Offset) < uint64(reqLen) {
		b = nla.AppendUint32(b, AttrOffs, e.Offset)
	}
	if e.Has(AttrPolicy) {
		b = nla.AppendBytes(b, AttrPolicy|nla.Nested, e.Policy)
	}
	if e.Has(AttrMissType) {
		b = nla.AppendUint32(b, AttrMissType, e.MissType)
	}
	if e.Has(AttrMissNest) && uint64(e.MissNest) < uint64(reqLen) {
		b = nla.AppendUint32(b, AttrMissNest, e.MissNest)
	}
	return b
}
