package policy

import (
	"strconv"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// Report is the kernel's report of a validation (struct netlink_ext_ack). The kernel only
// overwrites parts of it, and so does this package: after a successful validation it may contain
// a warning.
type Report struct {
	Msg     string // the kernel's text, "" if there is none
	HasAttr bool   // Offset and Type are set
	Offset  int    // of the invalid attribute's header, in bytes from the start of the stream
	Type    uint16 // of the invalid attribute
	Policy  *Rule  // the rule that failed, if the kernel reports it
}

// bad is NL_SET_ERR_MSG_ATTR_POL, or with a nil rule NL_SET_ERR_MSG_ATTR.
func (r *Report) bad(offset int, rule *Rule, a nla.Attr, msg string) {
	*r = Report{msg, true, offset, a.Type(), rule}
}

// Error is a failed validation: the errno and the kernel's report. errors.Is matches the errno.
type Error struct {
	Errno errno.Errno
	Report
}

// Error returns the kernel's text with the type and the offset of the attribute.
func (e *Error) Error() string {
	s := e.Msg
	if s == "" {
		s = "rejected without a message"
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

// Parse validates the attributes of b as the kernel does, and fills tb (nla_parse or
// nla_parse_deprecated, depending on mode). It stores the last attribute of a type. Types above
// the maximum of the policy are skipped, or rejected with ValidateMaxType. Attributes with types
// past the slots of tb are validated but not stored. Nested attributes are validated as well;
// pass a nest's payload to [nla.Table.Read] to read them. tb may be nil.
//
// A nil policy accepts any contents; the slots of tb then define the highest type. The error is
// an *Error and the only allocation. Its offset counts from the start of b, while
// NLMSGERR_ATTR_OFFS counts from the start of the message. After an error the contents of tb are
// unspecified. Views from tb alias b. Parse returns EMSGSIZE if b is longer than [nla.MaxStream],
// which is too long for a table.
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

// start clears the table for b and returns its slots, or nil for a nil tb.
func start(tb *nla.Table, b []byte) (slots []uint32, ok bool) {
	if tb == nil {
		return nil, true
	}
	clear(tb.Slots)
	tb.Stream = b
	return tb.Slots, len(b) <= nla.MaxStream
}

const msgTooLong = "attribute stream longer than nla.MaxStream"

func tooLong() error { return &Error{Errno: errno.EMSGSIZE, Report: Report{Msg: msgTooLong}} }

// slowly continues where quickly stopped, left bytes before the end of b. It is a separate function
// because a Report is large and quickly does not need one.
func slowly(slots []uint32, b []byte, left int, p *Policy, mode Mode) error {
	var r Report
	if errno := parse(slots, b, b[len(b)-left:], p, mode, &r); errno != 0 {
		return policyError(errno, &r)
	}
	return nil
}

// Validate is Parse without a table (nla_validate). A nil policy accepts any attributes.
func Validate(b []byte, p *Policy, mode Mode) error { return Parse(nil, b, p, mode) }

// ParseReport is Parse for servers that answer as the kernel does. It never allocates. report may
// contain a warning on success: the mode may ignore leftover bytes.
func ParseReport(tb *nla.Table, b []byte, p *Policy, mode Mode, report *Report) errno.Errno {
	slots, ok := start(tb, b)
	if !ok {
		report.Msg = msgTooLong
		return errno.EMSGSIZE
	}
	return parse(slots, b, b, p, mode, report)
}

// parse continues with the rest of b; the attributes before it are in slots already.
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
