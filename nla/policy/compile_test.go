package policy

import (
	"sync"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// Compiled limits give the same results as the rules, for every kind, limit, length, last byte,
// flag bit and mode.
func TestCompiledPoliciesGiveTheSameResults(t *testing.T) {
	limits := []uint16{0, 1, 2, 3, 4, 5, 7, 8, 9, 1000, nla.MaxPayload - 4, nla.MaxPayload - 1, nla.MaxPayload, nla.MaxPayload + 1, 1<<16 - 1}
	modes := []Mode{Liberal, DeprecatedStrict, Strict, ValidateUnspec, ValidateStrictAttrs, ValidateNested}
	b := make([]byte, 1<<16)
	ne.PutUint16(b[nla.HeaderLen:], nla.HeaderLen) // the contents of a nest are well-formed
	for kind := range maxKind + 2 {
		for _, limit := range limits {
			rules := []Rule{1: {Kind: kind, Len: limit}, 2: {}}
			for _, strictStart := range []uint16{0, 1, 2} {
				for _, mode := range modes {
					sameResults(t, rules, strictStart, mode, b)
				}
			}
			if isNest(kind) {
				rules[1].Nested = &Policy{Attrs: make([]Rule, 1)}
				sameResults(t, rules, 0, Strict, b)
				sameResults(t, rules, 0, Liberal, b)
			}
		}
	}
}

// withoutLimits removes the limits of p and of the policies nested in it, so that each attribute
// takes the slow path. It returns p. Any other policy has limits from its first use.
func withoutLimits(p *Policy) *Policy {
	if p == nil || p.compiled.Load() == noLimits {
		return p
	}
	p.compiled.Store(noLimits)
	for t := range p.Attrs {
		withoutLimits(p.Attrs[t].Nested)
	}
	return p
}

var noLimits = &compiled{}

// sameResults validates attributes with lengths around the possible limits of rules.
func sameResults(t *testing.T, rules []Rule, strictStart uint16, mode Mode, b []byte) {
	t.Helper()
	plain := withoutLimits(&Policy{Attrs: rules, StrictStart: strictStart})
	prepared := (&Policy{Attrs: rules, StrictStart: strictStart}).Compile()
	limit := int(rules[1].Len)
	for _, n := range []int{0, 3, 4, 5, 6, 8, 11, 12, 13, 16, limit + 3, limit + 4, limit + 5, limit + 6, 1<<16 - 1} {
		if n > 1<<16-1 {
			continue
		}
		for _, typ := range []uint16{0, 1, 1 | nla.NetByteOrder, 1 | nla.Nested, 1 | nla.Nested | nla.NetByteOrder, 3} {
			for last := range byte(2) {
				ne.PutUint16(b, uint16(n))
				ne.PutUint16(b[2:], typ)
				end := b[max(n, nla.HeaderLen)-1:]
				saved := end[0]
				if n > 2*nla.HeaderLen {
					end[0] = last
				}
				in := b[:max(n, nla.HeaderLen)]
				if want, got := parsed(plain, in, mode), parsed(prepared, in, mode); got != want {
					t.Fatalf("%+v, StrictStart %d, %v, length %d, type %#x, last byte %d: %+v, with limits %+v",
						rules[1], strictStart, mode, n, typ, last, want, got)
				}
				end[0] = saved
			}
		}
	}
}

type parseResult struct {
	errno  errno.Errno
	report Report
	stored int // the length of the attribute in the table
}

func parsed(p *Policy, b []byte, mode Mode) (r parseResult) {
	tb := &nla.Table{Slots: make([]uint32, 2)}
	r.errno = ParseReport(tb, b, p, mode, &r.report)
	r.stored = len(tb.Get(1))
	return r
}

// In a policy with more types than the protocol allows, flag bits must not become part of a type.
func TestCompiledPolicyOfTooManyTypes(t *testing.T) {
	p := &Policy{Attrs: make([]Rule, 1<<16)}
	for i := range p.Attrs {
		p.Attrs[i].Kind = KindFlag
	}
	p.Attrs[1].Kind = KindU8
	p.Compile()
	for _, mode := range []Mode{Liberal, Strict} {
		for _, flag := range []uint16{nla.Nested, nla.NetByteOrder} {
			if err := Validate(nla.AppendFlag(nil, 1|flag), p, mode); err == nil {
				t.Errorf("%v: flag %#x is part of the type", mode, flag)
			}
		}
	}
}

// Goroutines that use a policy at the same time, for the first time, all get correct results.
func TestFirstUseOfAPolicyInManyGoroutines(t *testing.T) {
	good, bad := nla.AppendUint32(nil, 1, 1), nla.AppendUint8(nil, 1, 1)
	for range 200 {
		p := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindNested}}}
		p.Attrs[2].Nested = p
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := Validate(nla.AppendBytes(nil, 2|nla.Nested, good), p, Strict); err != nil {
					t.Error(err)
				}
				if Validate(nla.AppendBytes(nil, 2|nla.Nested, bad), p, Strict) == nil {
					t.Error("a u32 of one byte passes")
				}
				p.Compile()
			})
		}
		wg.Wait()
	}
}

// Compile prepares nested policies even if the policy was used before, and if policies nest each
// other.
func TestCompileAfterUse(t *testing.T) {
	inner := &Policy{Attrs: []Rule{1: {Kind: KindU32}}}
	outer := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: Nest(inner), 3: {Kind: KindNested}}}
	outer.Attrs[3].Nested = outer
	if err := Validate(nla.AppendUint32(nil, 1, 1), outer, Strict); err != nil || inner.compiled.Load() != nil {
		t.Fatal(err)
	}
	if outer.Compile(); inner.compiled.Load() == nil {
		t.Error("the nested policy is not prepared")
	}
}
