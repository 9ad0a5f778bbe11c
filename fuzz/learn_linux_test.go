package fuzz

import (
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// A learner completes exported policies by requests with one attribute. An export lacks:
//
//   - the rules KindUnspec, KindReject and big-endian integers, which are holes in the policy
//   - StrictStart
//   - the lower limit of MIN_LEN, and that of CheckRangeWarnTooLong is like that of CheckRange
//   - that a KindUint or KindU64 is a KindMsecs
//   - the types at the end of the top level, if they are holes
//
// A rule that it cannot determine is marked as unsure.
type learner struct {
	unsure  unsureRules
	tops    map[visit]*policy.Policy // completed policies of operations
	visited map[visit]bool           // completed nested policies

	// The current operation.
	t *testing.T
	o *operation
}

// visit is a policy, and the way in which it applied.
type visit struct {
	p      *policy.Policy
	strict bool
}

// level is a policy at some depth of an operation.
type level struct {
	p      *policy.Policy
	wrap   func(attr []byte) []byte // puts an attribute into its nests
	depth  int                      // in bytes: the headers of the nests
	strict bool
}

// complete completes the policy of an operation, which was exported as p. The family has types up
// to maxAttr.
func (l *learner) complete(t *testing.T, o *operation, p *policy.Policy, maxAttr int) {
	t.Helper()
	l.t, l.o = t, o
	top := level{p: o.policy, wrap: func(b []byte) []byte { return b }, strict: o.mode == policy.Strict}
	v := visit{p, top.strict}
	if known := l.tops[v]; known != nil {
		o.policy = known
		return
	}
	l.tops[v] = o.policy
	if !top.strict {
		extend(o.policy, maxAttr)
	}
	l.rules(top)
	for typ := max(1, len(o.policy.Attrs)); top.strict; typ++ { // more types at the end
		if text := string(l.send(top, nla.AppendFlag(nil, uint16(typ))).Msg); text == "Unknown attribute type" {
			break
		}
		extend(o.policy, typ)
		l.hole(top, uint16(typ))
	}
}

// send sends an attribute at a level.
func (l *learner) send(at level, attr []byte) nlmsg.ExtAck { return l.o.send(l.t, at.wrap(attr)) }

// text sends an attribute with zero bytes and returns the text of the answer.
func (l *learner) text(at level, typ uint16, size int) string {
	return string(l.send(at, nla.AppendBytes(nil, typ, make([]byte, size))).Msg)
}

// rules completes the rules of a policy.
func (l *learner) rules(at level) {
	for i := 1; i < len(at.p.Attrs); i++ {
		typ := uint16(i)
		r := &at.p.Attrs[typ]
		here := at
		if !at.strict {
			if at.p.StrictStart == 0 && l.isStrict(at, typ, r) {
				at.p.StrictStart = typ
			}
			here.strict = at.p.StrictStart != 0
		}
		switch r.Kind {
		case policy.KindUnspec:
			l.hole(here, typ)
		case policy.KindBinary:
			l.binary(here, typ, r)
		case policy.KindU64, policy.KindUint:
			l.msecs(here, typ, r)
		case policy.KindNested, policy.KindNestedArray:
			l.nest(here, typ, r)
		}
	}
}

// isStrict reports whether a type is validated strictly: an attribute with the wrong flag
// NLA_F_NESTED has an error that others do not have.
func (l *learner) isStrict(at level, typ uint16, r *policy.Rule) bool {
	raw := typ | nla.Nested
	if r.Kind == policy.KindNested || r.Kind == policy.KindNestedArray {
		raw = typ
	}
	a := l.send(at, nla.AppendFlag(nil, raw))
	switch string(a.Msg) {
	case "NLA_F_NESTED not expected", "NLA_F_NESTED is missing", "Unsupported attribute":
		return l.points(at, a)
	case "invalid attribute length":
		return l.points(at, a) && r.Kind != policy.KindUint && r.Kind != policy.KindSint
	}
	return false
}

// points reports whether an error has the offset of the attribute that was sent.
func (l *learner) points(at level, a nlmsg.ExtAck) bool {
	return int(a.Offset) == nlmsg.HeaderLen+len(l.o.header)+at.depth
}

// hole finds a rule that is not exported.
func (l *learner) hole(at level, typ uint16) {
	const most = 64 // bytes that KindUnspec requires
	r := &at.p.Attrs[typ]
	a := l.send(at, nla.AppendFlag(nil, typ))
	switch text := string(a.Msg); {
	case !l.points(at, a): // accepted
	case text == "Unsupported attribute": // KindUnspec
	case text == "invalid attribute length":
		l.bigEndian(at, typ)
	case text == "Attribute failed policy validation" && a.Errno == errno.ERANGE:
		for size := 1; size <= most; size++ {
			if text := l.text(at, typ, size); text != "Attribute failed policy validation" {
				r.Len = uint16(size)
				return
			}
		}
		l.unsure.add(at.p, typ)
	case text == "Attribute failed policy validation":
		r.Kind = policy.KindReject
	case a.Errno == errno.EINVAL:
		*r = policy.Rule{Kind: policy.KindReject, Reject: text}
	default:
		l.unsure.add(at.p, typ)
	}
}

// bigEndian finds the size of a big-endian integer. Its range is not known.
func (l *learner) bigEndian(at level, typ uint16) {
	for _, kind := range []policy.Kind{policy.KindBE16, policy.KindBE32} {
		size := 2
		if kind == policy.KindBE32 {
			size = 4
		}
		if text := l.text(at, typ, size); text != "invalid attribute length" {
			at.p.Attrs[typ] = policy.Rule{Kind: kind}
			if text == "integer out of range" {
				l.unsure.add(at.p, typ)
			}
			return
		}
	}
	l.unsure.add(at.p, typ)
}

// binary finds a lower limit, and whether attributes that are too long are only warned about.
func (l *learner) binary(at level, typ uint16, r *policy.Rule) {
	const most = 256
	isExact := r.Check == policy.CheckRange && r.Min == r.Max
	if isExact && l.text(at, typ, int(r.Max)+1) != "binary attribute size out of range" {
		r.Check = policy.CheckRangeWarnTooLong
	}
	if r.Check != policy.CheckNone || r.Len != 0 {
		return
	}
	for size := range most {
		if l.text(at, typ, size) != "binary attribute size out of range" {
			if size > 0 {
				*r = policy.MinLen(uint16(size))
			}
			return
		}
	}
	l.unsure.add(at.p, typ)
}

// msecs distinguishes KindMsecs: it needs 8 bytes, and more are accepted in every mode.
func (l *learner) msecs(at level, typ uint16, r *policy.Rule) {
	if r.Kind == policy.KindUint && l.text(at, typ, 4) == "Attribute failed policy validation" ||
		r.Kind == policy.KindU64 && at.strict && l.text(at, typ, 9) != "invalid attribute length" {
		r.Kind = policy.KindMsecs
	}
}

// nest completes a nested policy.
func (l *learner) nest(at level, typ uint16, r *policy.Rule) {
	v := visit{r.Nested, at.strict}
	if r.Nested == nil || l.visited[v] {
		return
	}
	l.visited[v] = true
	wrap, depth := at.wrap, at.depth+nla.HeaderLen
	inner := func(b []byte) []byte { return nla.AppendBytes(nil, typ|nla.Nested, b) }
	if r.Kind == policy.KindNestedArray {
		depth += nla.HeaderLen
		inner = func(b []byte) []byte {
			return nla.AppendBytes(nil, typ|nla.Nested, nla.AppendBytes(nil, 1|nla.Nested, b))
		}
	}
	l.rules(level{r.Nested, func(b []byte) []byte { return wrap(inner(b)) }, depth, at.strict})
}
