package genlmsg

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nlmsg"
)

// HeaderLen is the size of struct genlmsghdr (GENL_HDRLEN).
const HeaderLen = 4

var ne = binary.NativeEndian

// Header is a view of struct genlmsghdr. It aliases the message and is valid until that buffer is
// reused. The accessors return 0 if the header is shorter than HeaderLen.
type Header []byte

// Cmd returns the command, a number that the family defines.
func (h Header) Cmd() uint8 {
	if len(h) >= HeaderLen {
		return h[0]
	}
	return 0
}

// Version returns the version of the family's interface. The kernel does not check it.
func (h Header) Version() uint8 {
	if len(h) >= HeaderLen {
		return h[1]
	}
	return 0
}

// Reserved returns the reserved field. Newer families reject a request with a value other than 0
// (genl_header_check).
func (h Header) Reserved() uint16 {
	if len(h) >= HeaderLen {
		return ne.Uint16(h[2:])
	}
	return 0
}

// Consume takes the header from the front of a netlink message's payload. It returns the header
// and the number of bytes it takes. The user header and the attributes follow: see UserHeader and
// Attrs.
//
// If the payload is shorter than the header, h is nil and n is -1; the kernel answers such a
// request with EINVAL (genl_family_rcv_msg). Consume never allocates and never panics.
func Consume(payload []byte) (h Header, n int) {
	if len(payload) < HeaderLen {
		return nil, -1
	}
	return Header(payload[:HeaderLen:HeaderLen]), HeaderLen
}

// UserHeader returns the family's header of hdrsize bytes, or nil if the message is too short for
// it or hdrsize is not positive. It aliases the message.
func UserHeader(m nlmsg.Msg, hdrsize int) []byte {
	const start = nlmsg.HeaderLen + HeaderLen
	if hdrsize > 0 && hdrsize <= len(m)-start {
		return m[start : start+hdrsize : start+hdrsize]
	}
	return nil
}

// Attrs returns the attributes after the header and a user header of hdrsize bytes
// (genlmsg_parse). It returns nil if the message is too short for them or hdrsize is negative.
func Attrs(m nlmsg.Msg, hdrsize int) []byte {
	if hdrsize < 0 {
		return nil
	}
	return m.Attrs(HeaderLen + hdrsize)
}

// Append appends the header with a reserved field of 0 (genlmsg_put). Call it directly after
// nlmsg.Begin.
func Append(b []byte, cmd, version uint8) []byte {
	return ne.AppendUint32(b, native.Half(native.Bytes(cmd, version), 0))
}

// AppendUserHeader appends the family's user header and its padding. Call it after Append.
func AppendUserHeader(b, hdr []byte) []byte {
	return native.Pad(append(b, hdr...), len(hdr))
}
