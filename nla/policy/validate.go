package policy

import (
	"bytes"
	"errors"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// maxDepth is the maximum depth of nested policies (MAX_POLICY_RECURSION_DEPTH): the top level
// and nine more.
const maxDepth = 10

// The kernel's texts, byte for byte (lib/nlattr.c, net/netlink/genetlink.c).
const (
	msgGeneric     = "Attribute failed policy validation"
	msgUnknown     = "Unknown attribute type"
	msgLeftover    = "bytes leftover after parsing attributes"
	msgLength      = "invalid attribute length"
	msgNoNest      = "NLA_F_NESTED is missing"
	msgNest        = "NLA_F_NESTED not expected"
	msgUnsupported = "Unsupported attribute"
	msgDepth       = "allowed policy recursion depth exceeded"
	msgElement     = "Array element too short"
	msgRange       = "integer out of range"
	msgBinaryRange = "binary attribute size out of range"
	msgMask        = "reserved bit set"
)

// sizes are the lengths of the kinds with a fixed length (nla_attr_len).
var sizes = [maxKind + 1]uint8{
	KindU8: 1, KindU16: 2, KindU32: 4, KindU64: 8, KindS8: 1, KindS16: 2, KindS32: 4, KindS64: 8, KindBE16: 2, KindBE32: 4,
}

// validation is one validation of a message's attributes. Offsets count from the start of the
// outermost stream, which is total bytes long.
type validation struct {
	report *Report
	total  int
}

// stream validates the attributes of b (__nla_validate_parse). The end of b is end bytes before the
// end of the outermost stream. It returns 0 or the errno.
func (v *validation) stream(slots []uint32, b []byte, end int, p *Policy, mode Mode, depth int) errno.Errno {
	if depth >= maxDepth {
		v.report.Msg = msgDepth
		return errno.EINVAL
	}
	for {
		left := quickly(slots, b, p, mode)
		if left <= 0 {
			return 0
		}
		b = b[len(b)-left:]
		a, n := nla.Consume(b)
		if n < 0 {
			return v.leftover(b, mode)
		}
		t := int(a.Type())
		if t == 0 || t >= len(p.Attrs) {
			if mode&ValidateMaxType != 0 {
				v.report.bad(v.total-end-len(b), nil, a, msgUnknown)
				return errno.EINVAL
			}
		} else {
			if errno := v.attr(a, end+len(b), p, mode, depth); errno != 0 {
				return errno
			}
			if t < len(slots) {
				slots[t] = uint32(len(b))
			}
		}
		b = b[n:]
	}
}

// leftover handles the end of a stream: bytes after the last attribute are reported in every mode
// and rejected in some.
func (v *validation) leftover(b []byte, mode Mode) errno.Errno {
	if len(b) == 0 {
		return 0
	}
	v.report.Msg = msgLeftover
	if mode&ValidateTrailing != 0 {
		return errno.EINVAL
	}
	return 0
}

// attr applies the rule of one attribute in the kernel's order (validate_nla). at is the position
// of its header, in bytes before the end of the outermost stream.
func (v *validation) attr(a nla.Attr, at int, p *Policy, mode Mode, depth int) errno.Errno {
	t := a.Type()
	r := &p.Attrs[t]
	if p.StrictStart != 0 && t >= p.StrictStart {
		mode |= Strict
	}
	n := len(a) - nla.HeaderLen
	fail := func(rule *Rule, msg string, errno errno.Errno) errno.Errno {
		v.report.bad(v.total-at, rule, a, msg)
		return errno
	}
	if r.Kind > maxKind {
		return fail(r, msgGeneric, errno.EINVAL)
	}
	if size := int(sizes[r.Kind]); size != 0 && n != size && mode&ValidateStrictAttrs != 0 {
		return fail(r, msgLength, errno.EINVAL)
	}
	if mode&ValidateNested != 0 {
		if isNest(r.Kind) && !a.IsNested() {
			return fail(r, msgNoNest, errno.EINVAL)
		}
		if !isNest(r.Kind) && r.Kind != KindUnspec && a.IsNested() {
			return fail(r, msgNest, errno.EINVAL)
		}
	}
	switch r.Kind {
	case KindReject:
		if r.Reject != "" {
			return fail(nil, r.Reject, errno.EINVAL)
		}
		return fail(r, msgGeneric, errno.EINVAL)
	case KindUnspec:
		if mode&ValidateUnspec != 0 {
			return fail(nil, msgUnsupported, errno.EINVAL)
		}
	case KindSint, KindUint:
		if n != 4 && n != 8 {
			return fail(r, msgLength, errno.EINVAL)
		}
	case KindNested, KindNestedArray:
		if errno := v.nest(a, at, r, mode, depth); errno != 0 {
			return errno
		}
	default:
		if errno := r.payload(a.Payload()); errno != 0 {
			return fail(r, msgGeneric, errno)
		}
	}
	if r.Kind <= maxKind && n < r.minLen() {
		return fail(r, msgGeneric, errno.ERANGE)
	}
	return v.check(a, at, r, mode)
}

// minLen returns the minimum length of an integer or KindUnspec (nla_attr_minlen).
func (r *Rule) minLen() int {
	switch r.Kind {
	case KindUnspec:
		return int(r.Len)
	case KindMsecs:
		if r.Len == 0 {
			return 8
		}
		return int(r.Len)
	}
	if size := int(sizes[r.Kind]); size != 0 {
		if r.Len == 0 {
			return size
		}
		return int(r.Len)
	}
	return 0
}

// payload checks the kinds with their own rules for length or contents.
func (r *Rule) payload(p []byte) errno.Errno {
	n, limit := len(p), int(r.Len)
	switch r.Kind {
	case KindFlag:
		if n > 0 {
			return errno.ERANGE
		}
	case KindBinary:
		if limit != 0 && n > limit {
			return errno.ERANGE
		}
	case KindNULString:
		head := p
		if limit != 0 {
			head = p[:min(n, limit+1)]
		}
		if bytes.IndexByte(head, 0) < 0 {
			return errno.EINVAL
		}
		return r.text(p)
	case KindString:
		return r.text(p)
	case KindBitfield32:
		return r.bitfield32(p)
	}
	return 0
}

func (r *Rule) text(p []byte) errno.Errno {
	n := len(p)
	if n < 1 {
		return errno.ERANGE
	}
	if p[n-1] == 0 {
		n--
	}
	if r.Len != 0 && n > int(r.Len) {
		return errno.ERANGE
	}
	return 0
}

// bitfield32 implements the kernel's validate_nla_bitfield32.
func (r *Rule) bitfield32(p []byte) errno.Errno {
	if len(p) != 8 {
		return errno.ERANGE
	}
	value, selector := ne.Uint32(p), ne.Uint32(p[4:])
	if r.Mask == 0 || selector&^r.Mask != 0 || value&^r.Mask != 0 || value&^selector != 0 {
		return errno.EINVAL
	}
	return 0
}

// nest validates the contents of a nest or of an array of nests. Empty ones pass.
func (v *validation) nest(a nla.Attr, at int, r *Rule, mode Mode, depth int) errno.Errno {
	p := a.Payload()
	if len(p) == 0 {
		return 0
	}
	end := at - len(a) // the end of the nest, in bytes before the end of the outermost stream
	if len(p) < nla.HeaderLen {
		v.report.bad(v.total-at, r, a, msgGeneric)
		return errno.ERANGE
	}
	if r.Nested == nil {
		return 0
	}
	if r.Kind == KindNested {
		return v.stream(nil, p, end, r.Nested, mode, depth+1)
	}
	// nla_validate_array checks neither the types of the entries nor their Nested bits, and
	// ignores leftover bytes.
	for len(p) > 0 {
		entry, n := nla.Consume(p)
		if n < 0 {
			break
		}
		inside := entry.Payload()
		if len(inside) > 0 && len(inside) < nla.HeaderLen {
			v.report.bad(v.total-end-len(p), r.Nested.first(), entry, msgElement)
			return errno.ERANGE
		}
		if len(inside) > 0 {
			if errno := v.stream(nil, inside, end+len(p)-len(entry), r.Nested, mode, depth+1); errno != 0 {
				return errno
			}
		}
		p = p[n:]
	}
	return 0
}

// first returns the rule that the kernel reports for an array element that is too short.
func (p *Policy) first() *Rule {
	if len(p.Attrs) == 0 {
		return nil
	}
	return &p.Attrs[0]
}

// check applies the rule's additional check.
func (v *validation) check(a nla.Attr, at int, r *Rule, mode Mode) errno.Errno {
	switch r.Check {
	case CheckNone:
		return 0
	case CheckMask:
		if !isMaskable(r.Kind) {
			return errno.EINVAL // the kernel sets no text here
		}
		if r.unsigned(a.Payload())&^uint64(r.Mask) != 0 {
			v.report.bad(v.total-at, nil, a, msgMask)
			return errno.EINVAL
		}
		return 0
	case CheckFunc:
		if r.Func == nil {
			return 0
		}
		return v.callback(a, at, r)
	case CheckRange, CheckRangeWarnTooLong, CheckMin, CheckMax:
		return v.bounds(a, at, r, mode)
	}
	return 0
}

// bounds checks a value, or the length of a KindBinary
// (nla_validate_int_range).
func (v *validation) bounds(a nla.Attr, at int, r *Rule, mode Mode) errno.Errno {
	var inside bool
	msg := msgRange
	switch {
	case isSigned(r.Kind):
		value := r.signed(a.Payload())
		lo, hi := r.signedRange()
		inside = lo <= value && value <= hi
	case isUnsigned(r.Kind):
		value := r.unsigned(a.Payload())
		lo, hi := r.unsignedRange()
		if r.Kind == KindBinary {
			msg = msgBinaryRange
			if r.Check == CheckRangeWarnTooLong && value > hi {
				if mode&ValidateStrictAttrs != 0 {
					v.report.bad(v.total-at, r, a, msgLength)
					return errno.EINVAL
				}
				return 0
			}
		}
		inside = lo <= value && value <= hi
	default:
		return errno.EINVAL // the kernel sets no text here
	}
	if !inside {
		v.report.bad(v.total-at, r, a, msg)
		return errno.ERANGE
	}
	return 0
}

// callback calls the rule's function.
func (v *validation) callback(a nla.Attr, at int, r *Rule) errno.Errno {
	err := r.Func(a)
	if err == nil {
		return 0
	}
	e, msg := errno.EINVAL, err.Error()
	switch own := err.(type) {
	case *Error:
		e, msg = own.Errno, own.Msg
	case errno.Errno:
		e = own
	case interface{ Unwrap() error }, interface{ Unwrap() []error }, interface{ Temporary() bool }: // syscall.Errno
		e, msg = inside(err)
	}
	if e == 0 {
		e = errno.EINVAL
	}
	v.report.bad(v.total-at, nil, a, msg)
	return e
}

// inside returns the errno and the text of an error that wraps one. It allocates.
func inside(err error) (errno.Errno, string) {
	var own *Error
	if errors.As(err, &own) {
		return own.Errno, own.Msg
	}
	e, _ := errno.Of(err)
	return e, err.Error()
}
