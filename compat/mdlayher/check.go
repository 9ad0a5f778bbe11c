package netlink

import (
	"encoding/binary"
	"math"

	"github.com/mdlayher/netlink/nlenc"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// isEnd reports whether m ends a multipart reply.
func (m *Message) isEnd() bool { return m.Header.Type == Done && m.Header.Flags&Multi != 0 }

// checkMessage returns the error in a message as an *OpError. Messages of type Error contain an errno,
// and a Done may.
func checkMessage(m Message) error {
	switch {
	case m.Header.Type == Error:
	case m.isEnd():
		if len(m.Data) == 0 {
			return nil // some protocols send a Done without an errno
		}
	default:
		return nil
	}
	if len(m.Data) < 4 {
		return newOpError("receive", errShortErrorMessage)
	}
	// An int, not an errno.Errno: it keeps a code with the wrong sign, which the kernel does not send.
	code := int32(binary.NativeEndian.Uint32(m.Data))
	if code == 0 {
		return nil
	}
	e := &OpError{Op: "receive", Err: newError(-int(code)), Sequence: m.Header.Sequence}
	if m.Header.Flags&AcknowledgeTLVs == 0 {
		return e
	}
	tlvs, isWhole := extendedAck(m)
	if !isWhole {
		return newOpError("receive", errShortErrorMessage)
	}
	e.explain(tlvs)
	return e
}

// extendedAck returns the attributes of an extended ACK. In an Error they follow the request. If the
// message is Capped, only the request's header precedes them (netlink_ack_tlv_fill).
func extendedAck(m Message) (tlvs []byte, isWhole bool) {
	tlvs = m.Data[4:]
	if m.Header.Type != Error {
		return tlvs, true
	}
	if len(tlvs) < nlmsgHeaderLen {
		return nil, false
	}
	n := uint64(nlmsgHeaderLen)
	if m.Header.Flags&Capped == 0 {
		n = uint64(binary.NativeEndian.Uint32(tlvs))
	}
	if n > uint64(len(tlvs)) {
		return nil, false
	}
	return tlvs[n:], true
}

// explain copies the text and the offset of an extended ACK. Malformed attributes are ignored, so that
// the errno is still reported.
func (e *OpError) explain(tlvs []byte) {
	for c := nla.Walk(tlvs); c.More(); c = c.Next() {
		switch a := c.Attr(); a.Type() {
		case nlmsg.AttrMsg:
			e.Message = nlenc.String(a.Payload())
		case nlmsg.AttrOffs:
			offset, _ := a.Uint32()
			e.Offset = int(min(uint64(offset), math.MaxInt))
		}
	}
}
