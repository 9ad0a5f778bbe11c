// Package generate makes attribute streams that nearly satisfy a policy, for tests that compare
// validation with an oracle.
package generate

import (
	"math/rand/v2"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// Generator makes attribute streams that nearly satisfy a policy: most attributes are valid or
// almost valid, so that every check receives valid and invalid input.
type Generator struct{ *rand.Rand }

// New returns a Generator with output that depends only on the seed.
func New(seed uint64) Generator { return Generator{rand.New(rand.NewPCG(seed, 0))} }

// one returns true with probability 1/n.
func (g Generator) one(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g Generator, list ...T) T { return list[g.IntN(len(list))] }

// Bytes returns n bytes: all zeros, all ones, or random.
func (g Generator) Bytes(n int) []byte {
	b := make([]byte, n)
	switch g.IntN(3) {
	case 0:
		for i := range b {
			b[i] = byte(g.Uint32())
		}
	case 1:
		for i := range b {
			b[i] = 0xff
		}
	}
	return b
}

// value returns a number at a limit of the rule or of its kind.
func (g Generator) value(r *policy.Rule) uint64 {
	lo, hi, mask := uint64(r.Min), uint64(r.Max), uint64(r.Mask)
	return pick(g, 0, 1, lo-1, lo, lo+1, hi-1, hi, hi+1, mask, mask+1, mask<<1, mask&-mask,
		1<<7, 1<<8-1, 1<<15, 1<<16-1, 1<<31, 1<<32-1, 1<<32, 1<<63, 1<<64-1, uint64(g.IntN(16)), g.Uint64())
}

// integer returns a value in n bytes of host byte order.
func (g Generator) integer(r *policy.Rule, n int) []byte {
	a, _ := nla.Consume(nla.AppendUint64(nil, 1, g.value(r)))
	b := a.Payload()
	if nla.AppendUint16(nil, 1, 1)[4] == 0 { // big endian: the low bytes are last
		return append([]byte(nil), b[8-n:]...)
	}
	return append([]byte(nil), b[:n]...)
}

// Bitfield returns the payload of a bitfield32.
func (g Generator) Bitfield(value, selector uint32) []byte {
	return nla.AppendBitfield32(nil, 0, nla.Bitfield32{Value: value, Selector: selector})[nla.HeaderLen:]
}

// text returns a string with about the maximum length of the rule, with or without NULs.
func (g Generator) text(r *policy.Rule) []byte {
	n := g.IntN(12)
	if r.Check != policy.CheckNone && !g.one(3) {
		n = int(pick(g, r.Min-1, r.Min, r.Max, r.Max+1))
	} else if !g.one(3) {
		n = int(r.Len) + g.IntN(5) - 2
	}
	b := g.Bytes(min(max(n, 0), 600))
	for i := range b {
		b[i] |= 1
	}
	for range g.IntN(3) {
		if len(b) > 0 {
			b[pick(g, len(b)-1, 0, g.IntN(len(b)))] = 0
		}
	}
	return b
}

// payload returns a payload that satisfies the rule, or nearly does.
func (g Generator) payload(r *policy.Rule, depth int) []byte {
	if g.one(8) {
		return g.Bytes(g.IntN(21)) // every kind with every length from 0 to 20
	}
	switch r.Kind {
	case policy.KindU8, policy.KindS8:
		return g.integer(r, 1)
	case policy.KindU16, policy.KindS16, policy.KindBE16:
		return g.integer(r, 2)
	case policy.KindU32, policy.KindS32, policy.KindBE32:
		return g.integer(r, 4)
	case policy.KindUint, policy.KindSint:
		return g.integer(r, pick(g, 4, 8))
	case policy.KindU64, policy.KindS64, policy.KindMsecs:
		return g.integer(r, 8)
	case policy.KindBitfield32:
		if g.one(2) { // bits of the mask, and the next higher bit
			above := 2*int64(r.Mask) + 2
			return g.Bitfield(uint32(g.Int64N(above)), uint32(g.Int64N(above)))
		}
		return append(g.integer(r, 4), g.integer(r, 4)...)
	case policy.KindString, policy.KindNULString, policy.KindBinary:
		return g.text(r)
	case policy.KindFlag:
		return nil
	case policy.KindNested:
		return g.nest(r.Nested, depth)
	case policy.KindNestedArray:
		var b []byte
		for range g.IntN(3) {
			b = nla.AppendBytes(b, uint16(g.IntN(3)), g.nest(r.Nested, depth+1))
		}
		return b
	}
	return g.Bytes(min(int(r.Len), 600) + g.IntN(5))
}

func (g Generator) nest(p *policy.Policy, depth int) []byte {
	if p == nil {
		p = &policy.Policy{Attrs: make([]policy.Rule, 3)}
	}
	if depth > 12 {
		return nil
	}
	b := g.stream(p, depth+1)
	return b[:min(len(b), 4000)]
}

// attribute appends an attribute of the given type, mostly as its rule requires.
func (g Generator) attribute(b []byte, typ int, r *policy.Rule, depth int) []byte {
	raw := uint16(typ) & nla.TypeMask
	isNest := r.Kind == policy.KindNested || r.Kind == policy.KindNestedArray
	if isNest != g.one(16) {
		raw |= nla.Nested
	}
	if g.one(24) {
		raw |= nla.NetByteOrder
	}
	return nla.AppendBytes(b, raw, g.payload(r, depth))
}

// Stream returns attributes for a policy. Some are unknown, of type 0, duplicated or malformed,
// and leftover bytes may follow them.
func (g Generator) Stream(p *policy.Policy) []byte { return g.stream(p, 0) }

func (g Generator) stream(p *policy.Policy, depth int) []byte {
	var b []byte
	count := g.IntN(4)
	if depth > 0 {
		count = g.IntN(3)
	}
	for range count {
		typ := g.IntN(len(p.Attrs) + 3)
		if len(p.Attrs) > 1 && !g.one(10) {
			typ = 1 + g.IntN(len(p.Attrs)-1)
		}
		b = g.attribute(b, typ, RuleOf(p, typ), depth)
	}
	if g.one(16) {
		b = g.damage(b)
	}
	return b
}

// RuleOf returns the rule of a type, or an empty rule if the policy has none.
func RuleOf(p *policy.Policy, typ int) *policy.Rule {
	if typ < len(p.Attrs) {
		return &p.Attrs[typ]
	}
	return &policy.Rule{}
}

func (g Generator) damage(b []byte) []byte {
	switch g.IntN(5) {
	case 0: // 1 to 3 leftover bytes
		return append(b, g.Bytes(1+g.IntN(3))...)
	case 1: // a header with a length below 4, or past the end
		return nla.AppendUint32(append(b, pick[byte](g, 0, 1, 3, 9, 255), 0, 1, 0), 1, 0)[:len(b)+4]
	case 2: // the last attribute without its padding, or cut short
		return b[:len(b)-g.IntN(min(5, len(b)+1))]
	case 3: // twice
		return append(b, b...)
	}
	for range 1 + g.IntN(3) {
		if len(b) > 0 {
			b[g.IntN(len(b))] ^= 1 << g.IntN(8)
		}
	}
	return b
}
