package nlmsg

import (
	"bytes"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The attributes of an extended ACK (NLMSGERR_ATTR_*).
const (
	AttrMsg      = 1 // NUL-terminated text
	AttrOffs     = 2 // u32, offset of the invalid attribute in the request
	AttrCookie   = 3 // binary, up to 8 bytes, defined by the family
	AttrPolicy   = 4 // nest, the policy that the attribute violates
	AttrMissType = 5 // u32, type of a missing attribute
	AttrMissNest = 6 // u32, offset of the nest without the missing attribute
)

// errnoLen and echoLen are the sizes of the parts of struct nlmsgerr: the errno and the header of
// the request.
const (
	errnoLen = 4
	echoLen  = HeaderLen
)

// ExtAck is the content of an Error or a Done message (struct nlmsgerr and struct
// netlink_ext_ack): the errno, the request, and the extended ACK, which may be present on
// success, too. ParseAck and ParseDone read it, AppendAck and AppendDone write it.
//
// Absent fields are nil or 0, as in the kernel: no attribute has offset 0, and no missing
// attribute has type 0 (netlink_ack_tlv_fill). An empty Msg that is not nil is written. In an
// ExtAck that was read, the slices alias the message.
type ExtAck struct {
	// Errno is positive, as in C; 0 is success. It is the number of the kernel's architecture.
	Errno errno.Errno
	// Request is the request with this result. ParseAck sets it to the header and the payload of
	// the request or, if the message is capped, to the header only; the length field is then that
	// of the whole request. ParseDone sets it to nil.
	Request Msg

	Msg      []byte // text, without its NUL
	Offset   uint32 // of the invalid attribute's header, in bytes from the start of the request
	Cookie   []byte // up to 8 bytes, defined by the family
	Policy   []byte // attributes: the policy that the invalid attribute violates
	MissType uint32 // type of the missing attribute
	MissNest uint32 // offset of the nest without the missing attribute; 0 is the top level
}

// Clone returns a copy that outlives the buffer. It allocates.
func (e *ExtAck) Clone() ExtAck {
	c := *e
	c.Request, c.Msg = e.Request.Clone(), bytes.Clone(e.Msg)
	c.Cookie, c.Policy = bytes.Clone(e.Cookie), bytes.Clone(e.Policy)
	return c
}

// ParseAck reads a message of type Error: an error, or an acknowledgement if the errno is 0.
//
// If the message is malformed, ParseAck returns a *SyntaxError, with an offset from the start of
// the message, and the fields that it could read. The errno is never lost if its 4 bytes are
// present.
func ParseAck(m Msg) (e ExtAck, err error) {
	if m.Type() != TypeError {
		return e, syntaxError(4, ErrType)
	}
	err = e.parseAck(m.Payload(), m.Flags(), HeaderLen)
	return e, err
}

// ParseAckPayload is ParseAck for a payload without its message; f is the flags of the message.
// Offsets in errors count from the start of the payload.
func ParseAckPayload(p []byte, f Flags) (e ExtAck, err error) {
	err = e.parseAck(p, f, 0)
	return e, err
}

// parseAck reads struct nlmsgerr; at is its offset in the message.
func (e *ExtAck) parseAck(p []byte, f Flags, at int) error {
	if len(p) < errnoLen {
		return syntaxError(at+len(p), ErrTruncated)
	}
	e.Errno = abs(int32(ne.Uint32(p)))
	if len(p) < errnoLen+echoLen {
		return syntaxError(at+len(p), ErrTruncated)
	}
	echo := p[errnoLen:]
	size := echoLen
	if f&FlagCapped == 0 {
		n := uint(ne.Uint32(echo))
		switch {
		case n >= echoLen && n <= uint(len(echo)):
			size = int(n)
		case e.Errno == 0 && f&FlagAckTLVs == 0:
			// Before 4.12 acknowledgements were capped without FlagCapped.
		default:
			e.Request = Msg(echo[:echoLen:echoLen])
			return syntaxError(at+errnoLen, ErrEcho)
		}
	}
	e.Request = Msg(echo[:size:size])
	if f&FlagAckTLVs == 0 {
		return nil
	}
	return e.parse(p, at, Align(errnoLen+size))
}

// ParseDone reads a message of type Done. Its errno is the result of the dump. An empty payload,
// which some protocols send, is success. The errors are those of ParseAck.
func ParseDone(m Msg) (ExtAck, error) {
	if m.Type() != TypeDone {
		return ExtAck{}, syntaxError(4, ErrType)
	}
	p := m.Payload()
	if len(p) == 0 {
		return ExtAck{}, nil
	}
	if len(p) < errnoLen {
		return ExtAck{}, syntaxError(len(m), ErrTruncated)
	}
	var e ExtAck
	// Only a negative number is an errno here: some protocols send a count or a length in the
	// payload.
	if v := int32(ne.Uint32(p)); v < 0 {
		e.Errno = abs(v)
	}
	// The kernel sets FlagAckTLVs even if the TLVs did not fit (netlink_dump_done), so it is
	// valid if nothing follows the errno.
	if m.Flags()&FlagAckTLVs == 0 {
		return e, nil
	}
	return e, e.parse(p, HeaderLen, errnoLen)
}

// abs returns the errno as a positive number. The kernel sends negative numbers; some old
// subsystems sent positive ones. -2^31 becomes 2^31.
func abs(v int32) errno.Errno {
	if v < 0 {
		return -errno.Errno(v)
	}
	return errno.Errno(v)
}

// parse reads the TLVs from offset start of the payload p; start may be past the end of p. at is the
// offset of p in the message.
func (e *ExtAck) parse(p []byte, at, start int) error {
	b := p[min(start, len(p)):]
	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			return syntaxError(at+len(p)-len(b), nla.ParseError(n))
		}
		if !e.set(a) {
			return syntaxError(at+len(p)-len(b), ErrExtAck)
		}
		b = b[n:]
	}
	return nil
}

// set stores one TLV and reports whether it is valid. It ignores unknown ones, because newer
// kernels may send more. A number of the wrong size changes nothing.
func (e *ExtAck) set(a nla.Attr) bool {
	var number *uint32
	switch a.Type() {
	case AttrMsg:
		e.Msg = text(a[nla.HeaderLen:])
	case AttrCookie:
		e.Cookie = a[nla.HeaderLen:]
	case AttrPolicy:
		e.Policy = a[nla.HeaderLen:]
	case AttrOffs:
		number = &e.Offset
	case AttrMissType:
		number = &e.MissType
	case AttrMissNest:
		number = &e.MissNest
	}
	if number == nil {
		return true
	}
	v, err := a.Uint32()
	if err == nil {
		*number = v
	}
	return err == nil
}

// text returns p up to the first NUL. A text without a NUL is accepted, because it is only
// informative and the errno is more important than this error.
func text(p []byte) []byte {
	if n := bytes.IndexByte(p, 0); n >= 0 {
		p = p[:n]
	}
	return p[:len(p):len(p)]
}

// SetReport copies the report of a validation: its text, the offset, and the description of the
// rule if the kernel exports such rules. It appends the text and the description to buf and
// returns the extended buf; e refers to it.
func (e *ExtAck) SetReport(r *policy.Report, buf []byte) []byte {
	if r.Msg != "" {
		start := len(buf)
		buf = append(buf, r.Msg...)
		e.Msg = buf[start:len(buf):len(buf)]
	}
	if r.HasAttr { // NL_SET_ERR_MSG_ATTR_POL sets the policy, too
		e.Offset, e.Policy = uint32(r.Offset), nil
	}
	if r.Policy != nil && policywire.Exported(r.Policy.Kind) {
		start := len(buf)
		buf = policywire.AppendRule(buf, r.Policy)
		e.Policy = buf[start:len(buf):len(buf)]
	}
	return buf
}
