package ynl

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Problem is a difference between a request and its spec. It is a warning, not an error: kernels can be
// newer than specs and accept more.
type Problem struct {
	Path string // of the attribute: "header.dev-index"
	Text string
}

// String returns the path and the text.
func (p Problem) String() string { return p.Path + ": " + p.Text }

// Check compares a request with its spec. It reports attributes that the operation does not list, for
// a dump if the request has FlagDump, and the first attribute that violates the policy derived from
// the spec.
func (s *Spec) Check(m nlmsg.Msg, op *Op) []Problem {
	if op.Set == nil {
		return nil
	}
	decoded := s.DecodeOp(m, op)
	var list []Problem
	mode := op.Do
	if m.Flags()&nlmsg.FlagDump == nlmsg.FlagDump {
		mode = op.Dump
	}
	if mode == nil {
		list = append(list, Problem{op.Name, "the spec has no such request: check whether it is a dump"})
		mode = &Mode{}
	}
	for i := range decoded.Fields {
		f := &decoded.Fields[i]
		if !f.Member && f.Attr != nil && len(mode.Request) > 0 && !slices.Contains(mode.Request, f.Name) {
			list = append(list, Problem{f.Name, fmt.Sprintf("%s does not list this attribute", op.Name)})
		}
	}
	skip := s.headerLen() + op.HeaderLen()
	if len(m) <= skip {
		return list
	}
	p := policies{}
	err := policy.Validate(m[skip:], p.of(op.Set), policy.Strict&^policy.ValidateNested)
	var refused *policy.Error
	if errors.As(err, &refused) {
		path := op.Name
		if refused.HasAttr {
			path, _ = decoded.PathAt(skip + refused.Offset)
		}
		list = append(list, Problem{path, refused.Error()})
	}
	return list
}

// Policy derives the policy for the attributes of a set and of the sets nested in it. Each call
// returns a new policy. Families often validate more than their specs contain.
func (s *Set) Policy() *policy.Policy { return policies{}.of(s) }

// policies has one policy for each set, because sets can contain themselves.
type policies map[*Set]*policy.Policy

func (ps policies) of(s *Set) *policy.Policy {
	if p := ps[s]; p != nil {
		return p
	}
	p := &policy.Policy{}
	ps[s] = p
	for _, a := range s.Attrs {
		if missing := int(a.Value) + 1 - len(p.Attrs); missing > 0 {
			p.Attrs = append(p.Attrs, make([]policy.Rule, missing)...)
		}
		p.Attrs[a.Value] = ps.rule(a)
	}
	return p
}

// kinds are the kinds of integers in native order.
var kinds = map[Type]policy.Kind{
	TypeU8: policy.KindU8, TypeU16: policy.KindU16, TypeU32: policy.KindU32, TypeU64: policy.KindU64,
	TypeS8: policy.KindS8, TypeS16: policy.KindS16, TypeS32: policy.KindS32, TypeS64: policy.KindS64,
	TypeUint: policy.KindUint, TypeSint: policy.KindSint,
}

// rule returns the rule of an attribute. Types that the kernel's policies cannot express accept any
// bytes.
func (ps policies) rule(a *Attr) policy.Rule {
	switch a.Type {
	case TypeFlag:
		return policy.Rule{Kind: policy.KindFlag}
	case TypeNest:
		return policy.Nest(ps.of(a.Nested))
	case TypeIndexedArray:
		if a.SubType == TypeNest {
			return policy.NestArray(ps.of(a.Nested))
		}
	case TypeBitfield32:
		return policy.Mask(policy.KindBitfield32, 1<<32-1)
	case TypeString:
		return stringRule(a.Checks)
	case TypeBinary:
		return binaryRule(a.Checks)
	}
	if a.Type.IsInteger() {
		return integerRule(a)
	}
	return policy.Rule{Kind: policy.KindBinary}
}

// length returns a limit of a length, or 0 if there is none.
func length(limit *int64) uint16 {
	if limit == nil || *limit < 0 || *limit > 1<<16-1 {
		return 0
	}
	return uint16(*limit)
}

func stringRule(c *Checks) policy.Rule {
	r := policy.Rule{Kind: policy.KindNULString}
	if c == nil {
		return r
	}
	if c.UnterminatedOK {
		r.Kind = policy.KindString
	}
	r.Len = length(c.MaxLen)
	return r
}

func binaryRule(c *Checks) policy.Rule {
	switch {
	case c == nil:
	case c.ExactLen != nil:
		return policy.ExactLen(length(c.ExactLen))
	case c.MinLen != nil && c.MaxLen != nil:
		return policy.Range(policy.KindBinary, *c.MinLen, *c.MaxLen)
	case c.MinLen != nil:
		return policy.MinLen(length(c.MinLen))
	case c.MaxLen != nil:
		return policy.MaxLen(length(c.MaxLen))
	}
	return policy.Rule{Kind: policy.KindBinary}
}

// integerRule returns the rule of a number. The kernel's policies have big-endian kinds of 16 and 32
// bits; the limits of other numbers that are not in native order cannot be expressed.
func integerRule(a *Attr) policy.Rule {
	kind := kinds[a.Type]
	c := a.Checks
	switch {
	case a.Order == BigEndian && a.Type == TypeU16:
		kind = policy.KindBE16
	case a.Order == BigEndian && a.Type == TypeU32:
		kind = policy.KindBE32
	case a.Order != Native && a.Type.Width() != 1:
		return policy.Rule{Kind: kind}
	}
	switch {
	case c == nil:
	case c.Mask != nil:
		return maskRule(kind, c.Mask)
	case c.Min != nil && c.Max != nil:
		return policy.Rule{Kind: kind, Check: policy.CheckRange, Min: *c.Min, Max: *c.Max}
	case c.Min != nil:
		return policy.Min(kind, *c.Min)
	case c.Max != nil:
		return policy.Max(kind, *c.Max)
	}
	return policy.Rule{Kind: kind}
}

// maskRule returns the rule for flags. The mask of a policy has 32 bits, so that a set with higher
// flags has no mask.
func maskRule(kind policy.Kind, flags *Enum) policy.Rule {
	var mask uint32
	for _, e := range flags.Entries {
		if e.Value < 0 || e.Value > 31 {
			return policy.Rule{Kind: kind}
		}
		mask |= 1 << e.Value
	}
	return policy.Mask(kind, mask)
}
