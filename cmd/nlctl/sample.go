package main

import (
	"strconv"

	"github.com/nlwire/nlwire/ynl"
)

// maxSample is the depth to which nests have sample values; sets can nest themselves.
const maxSample = 3

// sample returns an object with a value for each of the attributes that has a simple type.
func sample(set *ynl.Set, names []string, depth int) ynl.Value {
	v := ynl.Value{Kind: ynl.KindObject}
	if set == nil {
		return v
	}
	for _, name := range names {
		a := set.Attr(name)
		if a == nil {
			continue // a member of the header
		}
		if value, ok := sampleOf(a, depth); ok {
			v.Pairs = append(v.Pairs, ynl.Pair{Name: name, Value: value})
		}
	}
	return v
}

// sampleOf returns a value for an attribute: 1, or the least that the spec allows; the
// first value of an enum; its name as a text. ok is false for types whose value depends on
// others.
func sampleOf(a *ynl.Attr, depth int) (v ynl.Value, ok bool) {
	switch {
	case a.Type == ynl.TypeFlag:
		return ynl.Value{Kind: ynl.KindBool, Bool: true}, true
	case a.Type == ynl.TypeString:
		return sampleText(a), true
	case a.Type == ynl.TypeNest && depth < maxSample:
		v = sampleNest(a.Nested, depth)
		if a.Multi {
			v = ynl.Value{Kind: ynl.KindList, Items: []ynl.Value{v}}
		}
		return v, true
	case a.Type.IsInteger():
		return sampleNumber(a), true
	}
	return v, false
}

func sampleNest(set *ynl.Set, depth int) ynl.Value {
	var names []string
	for _, a := range set.Attrs {
		names = append(names, a.Name)
	}
	return sample(set, names, depth+1)
}

// sampleText returns the name of the attribute, truncated to its maximum length.
func sampleText(a *ynl.Attr) ynl.Value {
	text := a.Name
	if c := a.Checks; c != nil {
		for _, limit := range []*int64{c.MaxLen, c.ExactLen} {
			if limit != nil && *limit >= 0 && int64(len(text)) > *limit {
				text = text[:*limit]
			}
		}
	}
	return ynl.Value{Kind: ynl.KindString, Text: text}
}

func sampleNumber(a *ynl.Attr) ynl.Value {
	number := int64(1)
	switch {
	case a.Enum != nil && len(a.Enum.Entries) > 0 && !a.Flags && !a.Enum.Flags:
		number = a.Enum.Entries[0].Value
	case a.Checks != nil && a.Checks.Min != nil && *a.Checks.Min > number:
		number = *a.Checks.Min
	case a.Checks != nil && a.Checks.Max != nil && *a.Checks.Max < number:
		number = *a.Checks.Max
	}
	return ynl.Value{Kind: ynl.KindNumber, Text: strconv.FormatInt(number, 10)}
}
