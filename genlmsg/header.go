package genlmsg

import (
	"encoding/binary"
	"errors"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nlmsg"
)

// HeaderLen is the size of struct genlmsghdr (GENL_HDRLEN).
const HeaderLen = 4

// ErrTruncated: the payload is shorter than struct genlmsghdr. The kernel
// answers such a request with EINVAL (genl_family_rcv_msg).
var ErrTruncated = errors.New("genlmsg: header cut short")

var ne = binary.NativeEndian

// Header is a view of struct genlmsghdr. It aliases the message and is good
// until that buffer is used again. The accessors of one shorter than HeaderLen
// return 0.
type Header []byte

// Cmd returns the command, a number of the family's.
func (h Header) Cmd() uint8 {
	if len(h) >= HeaderLen {
		return h[0]
	}
	return 0
}

// Version returns the version of the family's interface. The kernel never
// checks it.
func (h Header) Version() uint8 {
	if len(h) >= HeaderLen {
		return h[1]
	}
	return 0
}

// Reserved returns the reserved field. Newer families refuse a request in
// which it is not 0 (genl_header_check).
func (h Header) Reserved() uint16 {
	if len(h) >= HeaderLen {
		return ne.Uint16(h[2:])
	}
	return 0
}

// Consume takes the header from the front of a netlink message's payload and
// returns it with the number of bytes it takes. The user header and the
// attributes follow: see UserHeader and Attrs.
//
// This returns a negative length upon an error (see [ParseError]), a nil Header
// with it. It never allocates and never panics.
func Consume(payload []byte) (h Header, n int) {
	if len(payload) < HeaderLen {
		return nil, -1
	}
	return Header(payload[:HeaderLen:HeaderLen]), HeaderLen
}

// ParseError returns the error that a negative result of Consume stands for,
// ErrTruncated, and nil for n >= 0.
func ParseError(n int) error {
	if n < 0 {
		return ErrTruncated
	}
	return nil
}

// UserHeader returns the family's own header of hdrsize bytes, nil if the
// message is too short for it or hdrsize is 0. It aliases the message.
func UserHeader(m nlmsg.Msg, hdrsize int) []byte {
	const start = nlmsg.HeaderLen + HeaderLen
	if hdrsize > 0 && hdrsize <= len(m)-start {
		return m[start : start+hdrsize : start+hdrsize]
	}
	return nil
}

// Attrs returns the attributes after the header and a user header of hdrsize
// bytes, for nla.All (genlmsg_parse). A message too short for them has none. Every message
// is too short for a negative hdrsize.
func Attrs(m nlmsg.Msg, hdrsize int) []byte {
	if hdrsize < 0 {
		return nil
	}
	return m.Attrs(HeaderLen + hdrsize)
}

// Append appends the header; the reserved field is 0 (genlmsg_put). It goes
// directly behind nlmsg.Begin.
func Append(b []byte, cmd, version uint8) []byte {
	return ne.AppendUint32(b, native.Half(native.Bytes(cmd, version), 0))
}

// AppendUserHeader appends the family's own header and the padding behind it.
// It goes directly behind Append.
func AppendUserHeader(b, hdr []byte) []byte {
	return native.Pad(append(b, hdr...), len(hdr))
}
