package ctrl

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// anything accepts every payload in any mode.
var anything = policy.Rule{Kind: policy.KindBinary}

// lenient returns a copy of an exported policy for a mode. If the export omits part of a
// rule, the copy accepts every payload that the kernel may accept. A UINT stays a UINT
// unless maybeMsecs is set.
func lenient(p *policy.Policy, mode policy.Mode, maybeMsecs bool) *policy.Policy {
	l := leniency{mode, maybeMsecs, map[*policy.Policy]*policy.Policy{}}
	return l.policy(p)
}

type leniency struct {
	mode       policy.Mode
	maybeMsecs bool
	done       map[*policy.Policy]*policy.Policy // finds policies that nest each other
}

func (l *leniency) policy(p *policy.Policy) *policy.Policy {
	if p == nil || l.done[p] != nil {
		return l.done[p]
	}
	out := &policy.Policy{Attrs: make([]policy.Rule, len(p.Attrs))}
	l.done[p] = out
	for typ := range p.Attrs {
		out.Attrs[typ] = l.rule(p.Attrs[typ])
	}
	return out
}

func (l *leniency) rule(r policy.Rule) policy.Rule {
	switch {
	case r.Kind == policy.KindUnspec && l.mode == policy.Strict: // may be BE16 or BE32
		return anything
	case r.Kind == policy.KindBinary && r.Check == policy.CheckRange && r.Min == r.Max: // may be EXACT_LEN_WARN
		return policy.ExactLenWarn(uint16(r.Min))
	case r.Kind == policy.KindUint && r.Check != policy.CheckMask && l.maybeMsecs: // NLA_MSECS has no mask
		return policy.Rule{Kind: policy.KindBinary, Check: policy.CheckFunc, Func: uintOrMsecs(r)}
	}
	r.Nested = l.policy(r.Nested)
	return r
}

// uintOrMsecs returns a check function. It refuses payloads that are neither a UINT, of 4
// or 8 bytes, nor an MSECS, of 8 or more bytes, in the range of the rule.
func uintOrMsecs(r policy.Rule) func(nla.Attr) error {
	return func(a nla.Attr) error {
		var v uint64
		switch p := a.Payload(); {
		case len(p) == 4:
			v = uint64(binary.NativeEndian.Uint32(p))
		case len(p) >= 8:
			v = binary.NativeEndian.Uint64(p)
		default:
			return errUint
		}
		if r.Check == policy.CheckRange && (v < uint64(r.Min) || v > uint64(r.Max)) {
			return errUint
		}
		return nil
	}
}

// errUint is not returned to callers: a second validation with the UINT rule determines the
// error of a refusal.
var errUint = &policy.Error{Errno: errno.EINVAL}
