package nlmsg

import (
	"bytes"

	"github.com/nlwire/nlwire/nla"
)

// The attributes of an extended ACK (NLMSGERR_ATTR_*).
const (
	AttrMsg      = 1 // NUL-terminated text for people
	AttrOffs     = 2 // u32, offset of the bad attribute in the request
	AttrCookie   = 3 // binary, up to 8 bytes, of the family
	AttrPolicy   = 4 // nest, the policy that the attribute failed
	AttrMissType = 5 // u32, type of a missing attribute
	AttrMissNest = 6 // u32, offset of the nest that lacks it
)

// errnoLen and echoLen are the parts of struct nlmsgerr: the errno and the
// header of the request.
const (
	errnoLen = 4
	echoLen  = HeaderLen
)

// Answer is the content of an Error or a Done message: the errno, what is repeated
// of the request, and the extended ACK. Its slices alias the message.
type Answer struct {
	// Errno is positive, as C's errno; 0 is success. The numbers are those of
	// the kernel's architecture.
	Errno uint32
	// Request is the request that is answered: header and payload, or only the
	// header (whose length field then counts more) in a capped answer, nil in
	// a Done.
	Request Msg
	// ExtAck is what the kernel says besides the errno, also on success.
	ExtAck
}

// ExtAck is the content of an extended ACK (struct netlink_ext_ack). Has tells
// which fields are set; a warning on success comes as Msg with errno 0.
type ExtAck struct {
	Msg      []byte // text, without its NUL
	Cookie   []byte // up to 8 bytes, of the family
	Policy   []byte // attributes: the policy that the bad attribute failed
	Offset   uint32 // of the bad attribute's header, in bytes from the start of the request
	MissType uint32 // type of the missing attribute
	MissNest uint32 // offset of the nest that lacks it; without it, the top level

	present uint8 // bit n is NLMSGERR_ATTR n
}

// Has reports whether the attribute is there; typ is one of AttrMsg to
// AttrMissNest.
func (e *ExtAck) Has(typ uint16) bool { return typ < 8 && e.present&(1<<typ) != 0 }

// Set marks an attribute as there, for AppendAck and AppendDone, which write
// none that is not marked. Numbers outside AttrMsg to AttrMissNest are ignored.
func (e *ExtAck) Set(typ uint16) {
	if typ >= AttrMsg && typ <= AttrMissNest {
		e.present |= 1 << typ
	}
}

// ParseAck reads a message of type Error: an error, or an acknowledgement if
// the errno is 0.
//
// On a malformed message it returns what could be read besides the
// *SyntaxError, whose offset counts from the start of the message: the errno
// is never lost if its 4 bytes are there.
func ParseAck(m Msg) (Answer, error) {
	if m.Type() != Error {
		return Answer{}, syntaxError(4, ErrType)
	}
	p := m.Payload()
	if len(p) < errnoLen {
		return Answer{}, syntaxError(len(m), ErrTruncated)
	}
	a := Answer{Errno: abs(int32(ne.Uint32(p)))}
	if len(p) < errnoLen+echoLen {
		return a, syntaxError(len(m), ErrTruncated)
	}
	echo := p[errnoLen:]
	tlvs := echoLen
	if m.Flags()&Capped == 0 {
		size := uint(ne.Uint32(echo))
		switch {
		case size >= echoLen && size <= uint(len(echo)):
			tlvs = int(size)
		case a.Errno == 0 && m.Flags()&AckTLVs == 0:
			// Before 4.12 a success came capped without saying so.
		default:
			a.Request = Msg(echo[:echoLen:echoLen])
			return a, syntaxError(HeaderLen+errnoLen, ErrEcho)
		}
	}
	a.Request = Msg(echo[:tlvs:tlvs])
	if m.Flags()&AckTLVs == 0 {
		return a, nil
	}
	return a, a.ExtAck.parse(m, HeaderLen+errnoLen+Align(tlvs))
}

// ParseDone reads a message of type Done. Its errno is how the dump ended. An
// empty payload, which some protocols send, is success. Errors are as those of
// ParseAck.
func ParseDone(m Msg) (Answer, error) {
	if m.Type() != Done {
		return Answer{}, syntaxError(4, ErrType)
	}
	p := m.Payload()
	if len(p) == 0 {
		return Answer{}, nil
	}
	if len(p) < errnoLen {
		return Answer{}, syntaxError(len(m), ErrTruncated)
	}
	var a Answer
	// Only a negative number is an errno here: some protocols put a count or
	// a length of their own into the payload.
	if v := int32(ne.Uint32(p)); v < 0 {
		a.Errno = abs(v)
	}
	// The kernel sets AckTLVs even where the TLVs did not fit
	// (netlink_dump_done), so nothing behind the errno is right too.
	if m.Flags()&AckTLVs == 0 {
		return a, nil
	}
	return a, a.ExtAck.parse(m, HeaderLen+errnoLen)
}

// abs returns the errno as a positive number. The kernel sends negative ones;
// some old subsystems sent them with the other sign. -2^31 stays 2^31.
func abs(errno int32) uint32 {
	if errno < 0 {
		return -uint32(errno)
	}
	return uint32(errno)
}

// parse reads the TLVs that start at that offset of m; it may lie past the end.
func (e *ExtAck) parse(m Msg, start int) error {
	b := m[min(start, len(m)):]
	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			return syntaxError(len(m)-len(b), nla.ParseError(n))
		}
		if !e.set(a) {
			return syntaxError(len(m)-len(b), ErrExtAck)
		}
		b = b[n:]
	}
	return nil
}

// set takes one TLV; unknown ones are skipped, for newer kernels may send more.
// One of the wrong size changes nothing.
func (e *ExtAck) set(a nla.Attr) bool {
	switch a.Type() {
	case AttrMsg:
		e.Msg = text(a.Payload())
	case AttrCookie:
		e.Cookie = a.Payload()
	case AttrPolicy:
		e.Policy = a.Payload()
	case AttrOffs, AttrMissType, AttrMissNest:
		v, err := a.Uint32()
		if err != nil {
			return false
		}
		e.setNumber(a.Type(), v)
	}
	e.Set(a.Type())
	return true
}

func (e *ExtAck) setNumber(typ uint16, v uint32) {
	switch typ {
	case AttrOffs:
		e.Offset = v
	case AttrMissType:
		e.MissType = v
	case AttrMissNest:
		e.MissNest = v
	}
}

// text cuts at the first NUL. A text without one is taken whole: it is for
// people, and no reason to lose the errno.
func text(p []byte) []byte {
	if n := bytes.IndexByte(p, 0); n >= 0 {
		p = p[:n]
	}
	return p[:len(p):len(p)]
}
