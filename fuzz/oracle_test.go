package fuzz

import (
	"math/big"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// oracle is a second implementation of attribute validation, slow and simple: numbers are big
// integers, bytes are read one by one, positions are absolute, and the rules are in the order of
// the kernel's source (validate_nla and __nla_validate_parse of lib/nlattr.c). It shares only the
// types that describe a policy with package policy.
type oracle struct {
	whole []byte // the outermost stream

	errno  int
	msg    string
	offset int // -1 for none
	typ    int
	rule   *policy.Rule
	table  map[int]string // the attribute's bytes, by type
}

func consult(b []byte, p *policy.Policy, mode policy.Mode) *oracle {
	o := &oracle{whole: b, offset: -1, table: map[int]string{}}
	o.errno = o.stream(0, len(b), p, mode, 0, true)
	return o
}

const (
	einval = 22
	erange = 34
)

func (o *oracle) u16(at int) int {
	low, high := int(o.whole[at]), int(o.whole[at+1])
	if native.BigEndian {
		low, high = high, low
	}
	return high*256 + low
}

// blame sets the text, the attribute and the rule.
func (o *oracle) blame(errno int, msg string, at int, rule *policy.Rule) int {
	o.msg, o.offset, o.typ, o.rule = msg, at, o.u16(at+2)%0x4000, rule
	return errno
}

// stream validates the bytes from at to end.
func (o *oracle) stream(at, end int, p *policy.Policy, mode policy.Mode, depth int, top bool) int {
	if depth >= 10 {
		o.msg = "allowed policy recursion depth exceeded"
		return einval
	}
	for end-at >= 4 && o.u16(at) >= 4 && o.u16(at) <= end-at {
		n, t := o.u16(at), o.u16(at+2)%0x4000
		if t == 0 || t >= len(p.Attrs) {
			if mode&policy.ValidateMaxType != 0 {
				return o.blame(einval, "Unknown attribute type", at, nil)
			}
		} else {
			if errno := o.attribute(at, n, t, p, mode, depth); errno != 0 {
				return errno
			}
			if top {
				o.table[t] = string(o.whole[at : at+n])
			}
		}
		at = min(at+(n+3)/4*4, end)
	}
	if end-at > 0 {
		o.msg = "bytes leftover after parsing attributes"
		if mode&policy.ValidateTrailing != 0 {
			return einval
		}
	}
	return 0
}

var (
	exactLength = map[policy.Kind]int{
		policy.KindU8: 1, policy.KindS8: 1, policy.KindU16: 2, policy.KindS16: 2, policy.KindBE16: 2,
		policy.KindU32: 4, policy.KindS32: 4, policy.KindBE32: 4, policy.KindU64: 8, policy.KindS64: 8,
	}
	leastLength = map[policy.Kind]int{
		policy.KindU8: 1, policy.KindS8: 1, policy.KindU16: 2, policy.KindS16: 2, policy.KindBE16: 2,
		policy.KindU32: 4, policy.KindS32: 4, policy.KindBE32: 4, policy.KindU64: 8, policy.KindS64: 8, policy.KindMsecs: 8,
	}
)

const generic = "Attribute failed policy validation"

// attribute implements validate_nla, step by step.
func (o *oracle) attribute(at, n, t int, p *policy.Policy, mode policy.Mode, depth int) int {
	r := &p.Attrs[t]
	length := n - 4
	payload := o.whole[at+4 : at+n]
	if p.StrictStart != 0 && t >= int(p.StrictStart) {
		mode = policy.ValidateTrailing | policy.ValidateMaxType | policy.ValidateUnspec | policy.ValidateStrictAttrs | policy.ValidateNested
	}
	if want, ok := exactLength[r.Kind]; ok && length != want && mode&policy.ValidateStrictAttrs != 0 {
		return o.blame(einval, "invalid attribute length", at, r)
	}
	hasFlag := o.u16(at+2) >= 0x8000
	if mode&policy.ValidateNested != 0 {
		switch r.Kind {
		case policy.KindNested, policy.KindNestedArray:
			if !hasFlag {
				return o.blame(einval, "NLA_F_NESTED is missing", at, r)
			}
		case policy.KindUnspec:
		default:
			if hasFlag {
				return o.blame(einval, "NLA_F_NESTED not expected", at, r)
			}
		}
	}
	if errno := o.kind(at, length, payload, r, mode, depth); errno != 0 {
		return errno
	}
	return o.extra(at, payload, r, mode)
}

// kind is the switch on the kind of the rule.
func (o *oracle) kind(at, length int, payload []byte, r *policy.Rule, mode policy.Mode, depth int) int {
	limit := int(r.Len)
	switch r.Kind {
	case policy.KindReject:
		if r.Reject != "" {
			return o.blame(einval, r.Reject, at, nil)
		}
		return o.blame(einval, generic, at, r)
	case policy.KindFlag:
		if length > 0 {
			return o.blame(erange, generic, at, r)
		}
	case policy.KindSint, policy.KindUint:
		if length != 4 && length != 8 {
			return o.blame(einval, "invalid attribute length", at, r)
		}
	case policy.KindBitfield32:
		if length != 8 {
			return o.blame(erange, generic, at, r)
		}
		value, selector := number(payload[:4], false, false), number(payload[4:], false, false)
		for bit := range 32 {
			valid, set, chosen := r.Mask&(1<<bit) != 0, value.Bit(bit) == 1, selector.Bit(bit) == 1
			if chosen && !valid || set && !valid || set && !chosen {
				return o.blame(einval, generic, at, r)
			}
		}
		if r.Mask == 0 {
			return o.blame(einval, generic, at, r)
		}
	case policy.KindNULString:
		found := false
		for i, c := range payload {
			if c == 0 && (limit == 0 || i <= limit) {
				found = true
			}
		}
		if !found {
			return o.blame(einval, generic, at, r)
		}
		return o.text(at, length, payload, r)
	case policy.KindString:
		return o.text(at, length, payload, r)
	case policy.KindBinary:
		if limit > 0 && length > limit {
			return o.blame(erange, generic, at, r)
		}
	case policy.KindNested:
		return o.nested(at, length, r, mode, depth)
	case policy.KindNestedArray:
		return o.array(at, length, r, mode, depth)
	case policy.KindUnspec:
		if mode&policy.ValidateUnspec != 0 {
			return o.blame(einval, "Unsupported attribute", at, nil)
		}
		if length < limit {
			return o.blame(erange, generic, at, r)
		}
	default:
		least := leastLength[r.Kind]
		if limit > 0 {
			least = limit
		}
		if length < least {
			return o.blame(erange, generic, at, r)
		}
	}
	return 0
}

func (o *oracle) text(at, length int, payload []byte, r *policy.Rule) int {
	if length < 1 {
		return o.blame(erange, generic, at, r)
	}
	if r.Len > 0 {
		if payload[length-1] == 0 {
			length--
		}
		if length > int(r.Len) {
			return o.blame(erange, generic, at, r)
		}
	}
	return 0
}

func (o *oracle) nested(at, length int, r *policy.Rule, mode policy.Mode, depth int) int {
	switch {
	case length == 0:
		return 0
	case length < 4:
		return o.blame(erange, generic, at, r)
	case r.Nested == nil:
		return 0
	}
	return o.stream(at+4, at+4+length, r.Nested, mode, depth+1, false)
}

func (o *oracle) array(at, length int, r *policy.Rule, mode policy.Mode, depth int) int {
	switch {
	case length == 0:
		return 0
	case length < 4:
		return o.blame(erange, generic, at, r)
	case r.Nested == nil:
		return 0
	}
	end := at + 4 + length
	for at += 4; end-at >= 4 && o.u16(at) >= 4 && o.u16(at) <= end-at; {
		n := o.u16(at)
		switch {
		case n == 4:
		case n < 8:
			var first *policy.Rule
			if len(r.Nested.Attrs) > 0 {
				first = &r.Nested.Attrs[0]
			}
			return o.blame(erange, "Array element too short", at, first)
		default:
			if errno := o.stream(at+4, at+n, r.Nested, mode, depth+1, false); errno != 0 {
				return errno
			}
		}
		at += (n + 3) / 4 * 4
	}
	return 0
}

// number returns bytes as a big integer.
func number(b []byte, bigEndian, signed bool) *big.Int {
	digits := append([]byte(nil), b...)
	if !bigEndian && !native.BigEndian {
		for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
			digits[i], digits[j] = digits[j], digits[i]
		}
	}
	v := new(big.Int).SetBytes(digits)
	if signed && len(b) > 0 && v.Bit(8*len(b)-1) == 1 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

// extra is the switch on the additional check.
func (o *oracle) extra(at int, payload []byte, r *policy.Rule, mode policy.Mode) int {
	switch r.Check {
	case policy.CheckMask:
		width, ok := map[policy.Kind]int{policy.KindU8: 1, policy.KindU16: 2, policy.KindU32: 4, policy.KindU64: 8, policy.KindUint: len(payload), policy.KindBE16: 2, policy.KindBE32: 4}[r.Kind]
		if !ok {
			return einval
		}
		v := number(padded(payload, width), r.Kind == policy.KindBE16 || r.Kind == policy.KindBE32, false)
		if v.AndNot(v, new(big.Int).SetUint64(uint64(r.Mask))).Sign() != 0 {
			return o.blame(einval, "reserved bit set", at, nil)
		}
	case policy.CheckFunc:
		if r.Func != nil {
			if err := r.Func(nla.Attr(o.whole[at : at+4+len(payload)])); err != nil {
				return o.blame(einval, err.Error(), at, nil)
			}
		}
	case policy.CheckRange, policy.CheckRangeWarnTooLong, policy.CheckMin, policy.CheckMax:
		return o.bounds(at, payload, r, mode)
	}
	return 0
}

// padded returns the first n bytes of b, extended with zeros.
func padded(b []byte, n int) []byte {
	return append(append([]byte(nil), b...), make([]byte, 8)...)[:n]
}

func (o *oracle) bounds(at int, payload []byte, r *policy.Rule, mode policy.Mode) int {
	unsigned := map[policy.Kind]int{
		policy.KindU8: 1, policy.KindU16: 2, policy.KindU32: 4, policy.KindU64: 8, policy.KindMsecs: 8, policy.KindUint: 8, policy.KindBE16: 2, policy.KindBE32: 4, policy.KindBinary: 2,
	}
	signed := map[policy.Kind]int{policy.KindS8: 1, policy.KindS16: 2, policy.KindS32: 4, policy.KindS64: 8, policy.KindSint: 8}
	var value, lo, hi *big.Int
	one := big.NewInt(1)
	if width, ok := unsigned[r.Kind]; ok {
		lo, hi = big.NewInt(0), new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*width)), one)
		if r.Check != policy.CheckMax {
			lo = new(big.Int).SetUint64(uint64(r.Min))
		}
		if r.Check != policy.CheckMin {
			hi = new(big.Int).SetUint64(uint64(r.Max))
		}
		if r.Kind == policy.KindUint {
			width = len(payload)
		}
		value = number(padded(payload, width), r.Kind == policy.KindBE16 || r.Kind == policy.KindBE32, false)
	} else if width, ok := signed[r.Kind]; ok {
		hi = new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*width-1)), one)
		lo = new(big.Int).Not(hi)
		if r.Check != policy.CheckMax {
			lo = big.NewInt(r.Min)
		}
		if r.Check != policy.CheckMin {
			hi = big.NewInt(r.Max)
		}
		if r.Kind == policy.KindSint {
			width = len(payload)
		}
		value = number(padded(payload, width), false, true)
	} else {
		return einval
	}
	text := "integer out of range"
	if r.Kind == policy.KindBinary {
		text = "binary attribute size out of range"
		value = big.NewInt(int64(len(payload)))
		if r.Check == policy.CheckRangeWarnTooLong && value.Cmp(hi) > 0 {
			if mode&policy.ValidateStrictAttrs != 0 {
				return o.blame(einval, "invalid attribute length", at, r)
			}
			return 0
		}
	}
	if value.Cmp(lo) < 0 || value.Cmp(hi) > 0 {
		return o.blame(erange, text, at, r)
	}
	return 0
}
