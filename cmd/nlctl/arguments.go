package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/nlwire/nlwire/internal/literal"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// argument is an attribute on the command line: TYPE[:KIND][=VALUE], with the types of the
// nests around it before its own: 1.2=VALUE.
type argument struct {
	text     string
	path     []uint16 // of the nests
	typ      uint16
	kind     policy.Kind
	hasKind  bool
	value    string
	hasValue bool
}

func parseArguments(args []string) ([]argument, error) {
	var all []argument
	for _, text := range args {
		a, err := parseArgument(text)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func parseArgument(text string) (argument, error) {
	a := argument{text: text}
	front, value, hasValue := strings.Cut(text, "=")
	numbers, kind, hasKind := strings.Cut(front, ":")
	a.value, a.hasValue, a.hasKind = value, hasValue, hasKind
	for i, number := range strings.Split(numbers, ".") {
		typ, err := literal.Uint(number, 16)
		if err != nil || typ > nla.TypeMask || i >= maxDepth {
			return a, fmt.Errorf("attribute %q: write TYPE=VALUE, with a type from 1 to %d", text, nla.TypeMask)
		}
		a.path = append(a.path, uint16(typ))
	}
	last := len(a.path) - 1
	a.path, a.typ = a.path[:last], a.path[last]
	if a.typ == 0 && last == 0 { // elements of a list may have type 0
		return a, fmt.Errorf("attribute %q: write TYPE=VALUE, with a type from 1 to %d", text, nla.TypeMask)
	}
	var err error
	if hasKind {
		a.kind, err = parseKind(kind)
	}
	if err != nil {
		return a, fmt.Errorf("attribute %q: %w", text, err)
	}
	return a, nil
}

// appendArguments appends the attributes. Neighboring arguments of the same nest are in
// one nest.
func appendArguments(b []byte, all []argument, p *policy.Policy) ([]byte, error) {
	return appendLevel(b, all, rulesOf(p), 0)
}

func appendLevel(b []byte, all []argument, rules ruleSet, depth int) (_ []byte, err error) {
	for len(all) > 0 {
		a := all[0]
		if len(a.path) == depth {
			if b, err = a.append(b, rules(header(a.typ))); err != nil {
				return nil, err
			}
			all = all[1:]
			continue
		}
		n := 1
		for n < len(all) && len(all[n].path) > depth && all[n].path[depth] == a.path[depth] {
			n++
		}
		inner := rulesOf(nil)
		if r := rules(header(a.path[depth])); r != nil {
			inner = nestRules(r)
		}
		mark := len(b)
		if b, err = appendLevel(nla.Begin(b, a.path[depth]), all[:n], inner, depth+1); err != nil {
			return nil, err
		}
		if b, err = nla.TryEnd(b, mark); err != nil {
			return nil, fmt.Errorf("attribute %q: %w", a.text, err)
		}
		all = all[n:]
	}
	return b, nil
}

// header returns an attribute without a payload, to find its rule.
func header(typ uint16) nla.Attr { return nla.Attr(nla.AppendFlag(nil, typ)) }

// parseKind returns the kind with that name. Kinds without a value that can be written are
// not accepted.
func parseKind(name string) (policy.Kind, error) {
	var names []string
	for k := policy.KindU8; k <= policy.KindUint; k++ {
		if k == policy.KindNested || k == policy.KindNestedArray || k == policy.KindReject {
			continue
		}
		if k.String() == name {
			return k, nil
		}
		names = append(names, k.String())
	}
	return 0, fmt.Errorf("unknown kind %q; the kinds are %s", name, strings.Join(names, ", "))
}

// append appends the attribute, with the given kind or the kind of its rule.
func (a argument) append(b []byte, rule *policy.Rule) ([]byte, error) {
	kind := a.kind
	if !a.hasKind && rule != nil {
		kind = rule.Kind
	}
	out, err := a.encode(b, kind)
	if err != nil {
		return nil, fmt.Errorf("attribute %q: %w", a.text, err)
	}
	return out, nil
}

func (a argument) encode(b []byte, kind policy.Kind) ([]byte, error) {
	if kind == policy.KindFlag {
		if a.value != "" {
			return nil, fmt.Errorf("a flag has no value; write %d", a.typ)
		}
		return nla.AppendFlag(b, a.typ), nil
	}
	switch {
	case kind == policy.KindUnspec:
		return nil, fmt.Errorf("kind unknown; write %d:KIND=VALUE", a.typ)
	case kind == policy.KindNested, kind == policy.KindNestedArray:
		return nil, fmt.Errorf("kind is %v; write the attributes in it: %d.TYPE=VALUE", kind, a.typ)
	case kind == policy.KindReject:
		return nil, fmt.Errorf("the operation rejects this attribute")
	case !a.hasValue:
		return nil, fmt.Errorf("%v needs a value; write %d=VALUE", kind, a.typ)
	case len(a.value) >= nla.MaxPayload:
		return nil, fmt.Errorf("value of %d bytes does not fit into an attribute", len(a.value))
	}
	switch kind {
	case policy.KindString, policy.KindNULString:
		return nla.AppendCString(b, a.typ, a.value), nil
	case policy.KindBinary:
		p, err := literal.Bytes(a.value)
		if err != nil {
			return nil, errors.New("write binary in hex")
		}
		return nla.AppendBytes(b, a.typ, p), nil
	case policy.KindBitfield32:
		return a.bitfield(b)
	case policy.KindS8, policy.KindS16, policy.KindS32, policy.KindS64, policy.KindSint:
		return a.signed(b, kind)
	}
	return a.unsigned(b, kind)
}

func (a argument) bitfield(b []byte) ([]byte, error) {
	first, second, ok := strings.Cut(a.value, "/")
	value, err := literal.Uint(first, 32)
	selector, other := literal.Uint(second, 32)
	if !ok || err != nil || other != nil {
		return nil, fmt.Errorf("write a bitfield32 as VALUE/SELECTOR, two 32-bit numbers")
	}
	return nla.AppendBitfield32(b, a.typ, nla.Bitfield32{Value: uint32(value), Selector: uint32(selector)}), nil
}

// bitsOf returns the size of an integer kind in bits.
func bitsOf(kind policy.Kind) int {
	switch kind {
	case policy.KindU8, policy.KindS8:
		return 8
	case policy.KindU16, policy.KindS16, policy.KindBE16:
		return 16
	case policy.KindU32, policy.KindS32, policy.KindBE32:
		return 32
	}
	return 64
}

func (a argument) signed(b []byte, kind policy.Kind) ([]byte, error) {
	v, err := literal.Int(a.value, bitsOf(kind))
	if err != nil {
		lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
		return nil, fmt.Errorf("%q is not a valid %v; write a number from %d to %d", a.value, kind, lo>>(64-bitsOf(kind)), hi>>(64-bitsOf(kind)))
	}
	switch kind {
	case policy.KindS8:
		return nla.AppendInt8(b, a.typ, int8(v)), nil
	case policy.KindS16:
		return nla.AppendInt16(b, a.typ, int16(v)), nil
	case policy.KindS32:
		return nla.AppendInt32(b, a.typ, int32(v)), nil
	case policy.KindSint:
		return nla.AppendSint(b, a.typ, v), nil
	}
	return nla.AppendInt64(b, a.typ, v), nil
}

func (a argument) unsigned(b []byte, kind policy.Kind) ([]byte, error) {
	v, err := literal.Uint(a.value, bitsOf(kind))
	if err != nil {
		return nil, fmt.Errorf("%q is not a valid %v; write a number from 0 to %d", a.value, kind, uint64(math.MaxUint64)>>(64-bitsOf(kind)))
	}
	switch kind {
	case policy.KindU8:
		return nla.AppendUint8(b, a.typ, uint8(v)), nil
	case policy.KindU16:
		return nla.AppendUint16(b, a.typ, uint16(v)), nil
	case policy.KindU32:
		return nla.AppendUint32(b, a.typ, uint32(v)), nil
	case policy.KindBE16:
		return nla.AppendBE16(b, a.typ, uint16(v)), nil
	case policy.KindBE32:
		return nla.AppendBE32(b, a.typ, uint32(v)), nil
	case policy.KindUint:
		return nla.AppendUint(b, a.typ, v), nil
	}
	return nla.AppendUint64(b, a.typ, v), nil
}
