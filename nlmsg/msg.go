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
	// MaxLen is the longest message that the 32-bit length can express, or the
	// longest slice where that is shorter.
	MaxLen = min(math.MaxUint32, math.MaxInt)
)

// ne is the byte order of headers.
var ne = binary.NativeEndian

// Align returns n rounded up to the alignment of messages (NLMSG_ALIGN), or the greatest
// int where that is above it.
func Align(n int) int { return nla.Align(n) }

// Size returns the bytes that a message with a payload of that many bytes takes in a
// datagram: header, payload and padding (nlmsg_total_size). With [nla.Size] it gives a buffer
// that need not grow. It is the greatest int where that is above it.
func Size(payload int) int {
	if payload > math.MaxInt-HeaderLen {
		return math.MaxInt
	}
	return Align(HeaderLen + payload)
}

// Msg is a view of one message, header in and padding out. It aliases the
// datagram it was read from, its capacity ends with the message, and it is good
// until that buffer is used again.
//
// The accessors are safe on any slice: one below HeaderLen bytes has a zero
// header and no payload.
type Msg []byte

// Header is struct nlmsghdr. Len is what the length field says.
type Header struct {
	Len    uint32
	Type   Type
	Flags  Flags
	Seq    uint32
	PortID uint32
}

// Header returns the header, the zero Header of a slice below HeaderLen bytes.
func (m Msg) Header() Header {
	if len(m) < HeaderLen {
		return Header{}
	}
	return Header{ne.Uint32(m), m.Type(), m.Flags(), m.Seq(), m.PortID()}
}

// Type returns the message type: one of the control types, or what the family
// defines; a Generic Netlink message has the family's id here.
func (m Msg) Type() Type {
	if len(m) >= HeaderLen {
		return Type(ne.Uint16(m[4:]))
	}
	return 0
}

// Flags returns the flags; their upper byte depends on the kind of message.
func (m Msg) Flags() Flags {
	if len(m) >= HeaderLen {
		return Flags(ne.Uint16(m[6:]))
	}
	return 0
}

// Seq returns the sequence number: in a reply that of its request, in a
// notification mostly 0.
func (m Msg) Seq() uint32 {
	if len(m) >= HeaderLen {
		return ne.Uint32(m[8:])
	}
	return 0
}

// SetSeq writes the sequence number, for those who give it last. A slice below
// HeaderLen bytes stays as it is.
func (m Msg) SetSeq(seq uint32) {
	if len(m) >= HeaderLen {
		ne.PutUint32(m[8:], seq)
	}
}

// SetFlags writes the flags. A slice below HeaderLen bytes stays as it is.
func (m Msg) SetFlags(f Flags) {
	if len(m) >= HeaderLen {
		ne.PutUint16(m[6:], uint16(f))
	}
}

// PortID returns the port ID: in a reply that of the requesting socket. It does
// not tell the sender; only the socket address of the datagram does.
func (m Msg) PortID() uint32 {
	if len(m) >= HeaderLen {
		return ne.Uint32(m[12:])
	}
	return 0
}

// Payload returns the bytes after the header, nil if there are none
// (nlmsg_data). It aliases the message.
func (m Msg) Payload() []byte {
	if len(m) > HeaderLen {
		return m[HeaderLen:]
	}
	return nil
}

// Attrs returns the attributes after a family's fixed header of hdrlen bytes,
// for nla.All (nlmsg_attrdata, nlmsg_attrlen). As in the kernel, a message too
// short for the header has none; a caller who reads the header compares the
// length of Payload with hdrlen first. Every message is too short for a negative hdrlen.
func (m Msg) Attrs(hdrlen int) []byte {
	if start := (HeaderLen + hdrlen + 3) &^ 3; uint(start) < uint(len(m)) && hdrlen >= 0 {
		// As it is. The compiler sees it, too, if start is not a sum with a constant,
		// and spares the mask that an empty slice needs.
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
