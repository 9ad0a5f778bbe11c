package policy

import (
	"strconv"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// Report is what the kernel would say of a validation (struct netlink_ext_ack).
// The kernel only ever overwrites parts of it, and so does this package: it
// can be filled while the result is success, with a warning.
type Report struct {
	Msg     string // the kernel's text, "" if it has none
	HasAttr bool   // Offset and Type are set
	Offset  int    // of the bad attribute's header, in bytes from the start of the stream
	Type    uint16 // of the bad attribute
	Policy  *Rule  // the rule it failed, where the kernel names one
}

// bad is NL_SET_ERR_MSG_ATTR_POL, or with a nil rule NL_SET_ERR_MSG_ATTR.
func (r *Report) bad(offset int, rule *Rule, a nla.Attr, msg string) {
	*r = Report{msg, true, offset, a.Type(), rule}
}

// Error is a refusal: the errno, and what the kernel would report besides. errors.Is
// finds the errno.
type Error struct {
	Errno errno.Errno
	Report
}

// Error returns the kernel's text, with the attribute and its place.
func (e *Error) Error() string {
	s := e.Msg
	if s == "" {
		s = "refused without a text"
	}
	if e.HasAttr {
		s += ": attribute " + strconv.Itoa(int(e.Type)) + " at offset " + strconv.Itoa(e.Offset)
	}
	if e.Policy != nil {
		s += " (" + e.Policy.Kind.String() + ")"
	}
	return "policy: " + s + ": " + e.Errno.Error()
}

// Unwrap returns Errno.
func (e *Error) Unwrap() error { return e.Errno }

// Parse validates the attributes of b as the kernel does and fills tb
// (nla_parse, nla_parse_deprecated, as mode says): of several attributes of a type with the
// last one. Types above the policy's are
// skipped, or refused with ValidateMaxType. Attributes whose type is past the slots of tb
// are validated and not stored. What is nested is validated too; to read it,
// give its payload to [nla.Table.Read]. tb may be nil.
//
// A nil policy accepts any content; the highest type is then tb's. The error is
// an *Error and the only allocation. Offsets count from the start of b:
// NLMSGERR_ATTR_OFFS counts from the start of the message. What tb holds after
// an error is unspecified. Its views alias b. A b over [nla.MaxStream] does not fit into
// a table and is refused with EMSGSIZE.
func Parse(tb *nla.Table, b []byte, p *Policy, mode Mode) error {
	slots, ok := start(tb, b)
	if !ok {
		return tooLong()
	}
	left := len(b)
	if p != nil {
		if left = quickly(slots, b, p, mode); left <= 0 {
			return nil
		}
	}
	return slowly(slots, b, left, p, mode)
}

// start clears the table for b and returns its slots, none for a nil tb.
func start(tb *nla.Table, b []byte) (slots []uint32, ok bool) {
	if tb == nil {
		return nil, true
	}
	clear(tb.Slots)
	tb.Stream = b
	return tb.Slots, len(b) <= nla.MaxStream
}

const msgTooLong = "the attributes are too long for a table"

func tooLong() error { return &Error{Errno: errno.EMSGSIZE, Report: Report{Msg: msgTooLong}} }

// slowly goes on with the last left bytes of b. It is apart because a Report is
// large: what passes quickly has no need of one.
func slowly(slots []uint32, b []byte, left int, p *Policy, mode Mode) error {
	var r Report
	if errno := parse(slots, b, b[len(b)-left:], p, mode, &r); errno != 0 {
		return policyError(errno, &r)
	}
	return nil
}

// Validate is Parse without a table (nla_validate). A nil policy accepts any
// attribute.
func Validate(b []byte, p *Policy, mode Mode) error { return Parse(nil, b, p, mode) }

// ParseReport is Parse for those who answer as the kernel: it allocates
// nothing, and what it adds to report may be there on success too, when bytes
// were left over and the mode ignores them.
func ParseReport(tb *nla.Table, b []byte, p *Policy, mode Mode, report *Report) errno.Errno {
	slots, ok := start(tb, b)
	if !ok {
		report.Msg = msgTooLong
		return errno.EMSGSIZE
	}
	return parse(slots, b, b, p, mode, report)
}

// parse goes on with the rest of b; the attributes before it are in slots.
func parse(slots []uint32, b, rest []byte, p *Policy, mode Mode, report *Report) errno.Errno {
	v := validation{report, len(b)}
	if p == nil {
		return v.unchecked(slots, rest, mode)
	}
	return v.stream(slots, rest, 0, p, mode, 0)
}

// unchecked is stream without a policy.
func (v *validation) unchecked(slots []uint32, b []byte, mode Mode) errno.Errno {
	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			break
		}
		t := int(a.Type())
		switch {
		case t > 0 && t < len(slots):
			slots[t] = uint32(len(b))
		case mode&ValidateMaxType != 0 && (t == 0 || slots != nil):
			v.report.bad(v.total-len(b), nil, a, msgUnknown)
			return errno.EINVAL
		}
		b = b[n:]
	}
	return v.leftover(b, mode)
}

//go:noinline
func policyError(errno errno.Errno, r *Report) error { return &Error{errno, *r} }
