package nlmsg

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/nlwire/nlwire/nla"
)

const (
	// HeaderLen is the size of struct nlmsghdr (NLMSG_HDRLEN).
	HeaderLen = 16
	// AlignTo is the alignment of messages (NLMSG_ALIGNTO).
	AlignTo = nla.AlignTo
	// MaxLen is the maximum length of a message: that of the 32-bit length field, or of a slice
	// if that is shorter.
	MaxLen = min(math.MaxUint32, math.MaxInt)
)

// ne is the byte order of headers.
var ne = binary.NativeEndian

// Align returns n rounded up to a multiple of AlignTo (NLMSG_ALIGN). It returns math.MaxInt if
// the result would overflow.
func Align(n int) int { return nla.Align(n) }

// Size returns the number of bytes that a message with a payload of the given length takes in a
// datagram: header, payload and padding (nlmsg_total_size). Together with [nla.Size] it gives the
// size of a buffer that need not grow. It returns math.MaxInt if the result would overflow.
func Size(payload int) int {
	if payload > math.MaxInt-HeaderLen {
		return math.MaxInt
	}
	return Align(HeaderLen + payload)
}

// Msg is a view of one message: its header and payload, without the padding. It aliases the
// datagram it was read from, its capacity ends with the message, and it is valid until that
// buffer is reused.
//
// The accessors are safe on any slice: one shorter than HeaderLen has a zero header and no
// payload.
type Msg []byte

// Header is struct nlmsghdr. Len is the value of the length field.
type Header struct {
	Len    uint32
	Type   Type
	Flags  Flags
	Seq    uint32
	PortID uint32
}

// Header returns the header, or the zero Header if m is shorter than HeaderLen.
func (m Msg) Header() Header {
	if len(m) < HeaderLen {
		return Header{}
	}
	return Header{ne.Uint32(m), m.Type(), m.Flags(), m.Seq(), m.PortID()}
}

// Type returns the message type: a control type, or a type that the family defines. In Generic
// Netlink it is the ID of the family.
func (m Msg) Type() Type {
	if len(m) >= HeaderLen {
		return Type(ne.Uint16(m[4:]))
	}
	return 0
}

// Flags returns the flags; the meaning of their upper byte depends on the kind of message.
func (m Msg) Flags() Flags {
	if len(m) >= HeaderLen {
		return Flags(ne.Uint16(m[6:]))
	}
	return 0
}

// Seq returns the sequence number: in a reply that of its request, in a notification usually 0.
func (m Msg) Seq() uint32 {
	if len(m) >= HeaderLen {
		return ne.Uint32(m[8:])
	}
	return 0
}

// SetSeq writes the sequence number of a message that is complete otherwise. It does nothing if m
// is shorter than HeaderLen.
func (m Msg) SetSeq(seq uint32) {
	if len(m) >= HeaderLen {
		ne.PutUint32(m[8:], seq)
	}
}

// SetFlags writes the flags. It does nothing if m is shorter than HeaderLen.
func (m Msg) SetFlags(f Flags) {
	if len(m) >= HeaderLen {
		ne.PutUint16(m[6:], uint16(f))
	}
}

// PortID returns the port ID: in a reply that of the requesting socket. It does not identify the
// sender; only the socket address of the datagram does.
func (m Msg) PortID() uint32 {
	if len(m) >= HeaderLen {
		return ne.Uint32(m[12:])
	}
	return 0
}

// Payload returns the bytes after the header, or nil if there are none (nlmsg_data). It aliases
// the message.
func (m Msg) Payload() []byte {
	if len(m) > HeaderLen {
		return m[HeaderLen:]
	}
	return nil
}

// Attrs returns the attributes after a family's fixed header of hdrlen bytes (nlmsg_attrdata,
// nlmsg_attrlen). As in the kernel, a message too short for that header has no attributes;
// callers that read the header must first compare the length of Payload with hdrlen. Attrs
// returns nil if hdrlen is negative.
func (m Msg) Attrs(hdrlen int) []byte {
	if start := (HeaderLen + hdrlen + 3) &^ 3; uint(start) < uint(len(m)) && hdrlen >= 0 {
		// Always true here. The condition proves to the compiler that the slice is not empty, so
		// that it drops the empty-slice mask; with a constant in the sum it would not.
		if rest := len(m) - start; rest > 0 {
			return m[start:len(m):len(m)]
		}
	}
	return nil
}

// Clone returns a copy that outlives the buffer. It allocates.
func (m Msg) Clone() Msg { return append(Msg(nil), m...) }

// String returns the header as text for logs. It allocates.
func (m Msg) String() string {
	return "len " + strconv.Itoa(len(m)) +
		" type " + m.Type().String() +
		" flags " + m.Flags().Names(KindOf(m.Type())) +
		" seq " + strconv.FormatUint(uint64(m.Seq()), 10) +
		" port " + strconv.FormatUint(uint64(m.PortID()), 10)
}
