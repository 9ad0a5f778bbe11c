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

// Valid attributes of every kind with limits, except nests with contents that have a policy, do not
// take the slow path, in any mode.
func TestValidAttributesAreWithinLimits(t *testing.T) {
	p := &Policy{Attrs: []Rule{
		1: {Kind: KindU8}, 2: {Kind: KindU16}, 3: {Kind: KindU32}, 4: {Kind: KindU64}, 5: {Kind: KindS8}, 6: {Kind: KindS16},
		7: {Kind: KindS32}, 8: {Kind: KindS64}, 9: {Kind: KindBE16}, 10: {Kind: KindBE32}, 11: {Kind: KindMsecs}, 12: {Kind: KindFlag},
		13: {Kind: KindBinary}, 14: {Kind: KindBinary, Len: 3}, 15: {Kind: KindString}, 16: {Kind: KindString, Len: 4},
		17: {Kind: KindNULString}, 18: {Kind: KindNULString, Len: 4}, 19: {Kind: KindU32, Len: 4}, 20: {Kind: KindUnspec, Len: 2},
		21: {Kind: KindNested}, 22: {Kind: KindNestedArray}, 23: {Kind: KindNested, Nested: devGet}, 24: {Kind: KindMsecs, Len: 8},
	}}
	const most = nla.MaxPayload
	sizes := [][]int{1: {1}, 2: {2}, 3: {4}, 4: {8}, 5: {1}, 6: {2}, 7: {4}, 8: {8}, 9: {2}, 10: {4}, 11: {8}, 12: {0},
		13: {0, most}, 14: {0, 3}, 15: {1, most}, 16: {1, 4}, 17: {1, most}, 18: {1, 5}, 19: {4}, 20: {2, most},
		21: {0, 4, most}, 22: {0, 4, most}, 23: {0}, 24: {8}}
	from := func(start uint16) *Policy { return &Policy{Attrs: p.Attrs, StrictStart: start} }
	for typ := 1; typ < len(p.Attrs); typ++ {
		kind := p.Attrs[typ].Kind
		isQuickIfStrict := !isNest(kind) && kind != KindUnspec
		for _, size := range sizes[typ] {
			in := nla.AppendBytes(nil, uint16(typ), make([]byte, size))
			quick := func(p *Policy, mode Mode) bool { return quickly(nil, in, p, mode) <= 0 }
			if !quick(p, Liberal) || !quick(p, DeprecatedStrict) || !quick(from(uint16(typ+1)), Liberal) {
				t.Errorf("type %d, %v of %d bytes: not within the limits of liberal modes", typ, kind, size)
			}
			if quick(p, Strict) != isQuickIfStrict || quick(from(uint16(typ)), Liberal) != isQuickIfStrict {
				t.Errorf("type %d, %v of %d bytes: within the limits of strict modes: %v", typ, kind, size, !isQuickIfStrict)
			}
		}
	}
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
