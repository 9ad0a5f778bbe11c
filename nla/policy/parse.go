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

// Parse validates the attributes of b as the kernel does and fills tb, indexed
// by type: of several attributes of a type the last one, nil for none
// (nla_parse, nla_parse_deprecated, as mode says). Types above the policy's are
// skipped, or refused with MaxType. Attributes whose type is past the end of tb
// are validated and not stored. What is nested is validated too; to read it,
// parse its payload into another table.
//
// A nil policy accepts any content; the highest type is then tb's. The error is
// a *PolicyError and the only allocation. Offsets count from the start of b:
// NLMSGERR_ATTR_OFFS counts from the start of the message. What tb holds after
// an error is unspecified. Its views alias b.
func Parse(tb []nla.Attr, b []byte, p *Policy, mode Mode) error {
	wipe(tb)
	left := len(b)
	if p != nil {
		if left = quickly(tb, b, p, mode); left <= 0 {
			return nil
		}
	}
	return slowly(tb, b, left, p, mode)
}

// wipe is clear without a call for tables of the usual lengths. The runtime goes
// through three functions to clear pointers: of a message with two attributes, a
// tenth of the time.
func wipe(tb []nla.Attr) {
	const block = 7 // the most that the compiler clears without a loop
	if len(tb) < block || len(tb) > 4*block {
		clear(tb)
		return
	}
	for t := tb; len(t) > block; t = t[block:] {
		*(*[block]nla.Attr)(t) = [block]nla.Attr{}
	}
	*(*[block]nla.Attr)(tb[len(tb)-block:]) = [block]nla.Attr{} // may overlap
}

// slowly goes on with the last left bytes of b. It is apart because a Report is
// large: what passes quickly has no need of one.
func slowly(tb []nla.Attr, b []byte, left int, p *Policy, mode Mode) error {
	var r Report
	if errno := parse(tb, b, b[len(b)-left:], p, mode, &r); errno != 0 {
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
func ParseReport(tb []nla.Attr, b []byte, p *Policy, mode Mode, report *Report) errno.Errno {
	wipe(tb)
	return parse(tb, b, b, p, mode, report)
}

// parse goes on with the rest of b, the attributes in front of it are in tb.
func parse(tb []nla.Attr, b, rest []byte, p *Policy, mode Mode, report *Report) errno.Errno {
	v := validation{report, len(b)}
	if p == nil {
		return v.unchecked(tb, rest, mode)
	}
	return v.stream(tb, rest, 0, p, mode, 0)
}

// unchecked is stream without a policy.
func (v *validation) unchecked(tb []nla.Attr, b []byte, mode Mode) errno.Errno {
	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			break
		}
		t := int(a.Type())
		switch {
		case t > 0 && t < len(tb):
			tb[t] = a
		case mode&ValidateMaxType != 0 && (t == 0 || tb != nil):
			v.report.bad(v.total-len(b), nil, a, msgUnknown)
			return errno.EINVAL
		}
		b = b[n:]
	}
	return v.leftover(b, mode)
}

//go:noinline
func policyError(errno errno.Errno, r *Report) error { return &Error{errno, *r} }
