package rivals

import (
	"slices"
	"testing"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

var policyComparators = []comparator{{"libnl", nlPolicy}}

// policies decodes the input of a comparator of policies: a byte for the number of rules, three
// bytes for each rule, and a stream. A rule of libnl has a minimum and a maximum length; rules
// without a counterpart are omitted.
func policies(in []byte) (theirs []clib.Rule, ours *policy.Policy, stream []byte) {
	next := func() (c byte) {
		if len(in) > 0 {
			c, in = in[0], in[1:]
		}
		return c
	}
	theirs, ours = []clib.Rule{{}}, &policy.Policy{Attrs: make([]policy.Rule, 1)}
	for range 1 + next()%6 {
		k, least, most := policy.Kind(next()%16), uint16(next()%12), uint16(next()%12)
		r := policy.Rule{Kind: k}
		switch k {
		case policy.KindNestedArray: // libnl uses this number for another kind
			k, r.Kind, least, most = policy.KindBinary, policy.KindBinary, 0, 0
		case policy.KindBinary:
			if least > 0 {
				r.Check, r.Min, r.Max = policy.CheckRange, int64(least), 1<<16-1
			}
			if r.Len = most; most > 0 {
				r.Max = int64(most)
			}
		case policy.KindString, policy.KindNULString:
			r.Len, least = most, 0
		case policy.KindFlag, policy.KindNested:
			least, most = 0, 0
		default:
			r.Len, most = least, 0
		}
		theirs = append(theirs, clib.Rule{Type: uint16(k), Min: least, Max: most})
		ours.Attrs = append(ours.Attrs, r)
	}
	return theirs, ours, in
}

func generatePolicy(g generate.Generator) []byte {
	in := random(g, 19)
	_, ours, _ := policies(in)
	return append(in[:1+3*(len(ours.Attrs)-1)], g.Stream(ours)...)
}

func nlPolicy(in []byte) verdict {
	rules, p, stream := policies(in)
	for a, err := range nla.All(stream) {
		if err != nil {
			break
		}
		if v := nlAttribute(rules, p, a); v != agreed {
			return v
		}
	}
	tb := &nla.Table{Slots: make([]uint32, len(p.Attrs))}
	err := policy.Parse(tb, stream, p, policy.Liberal)
	table, errno := clib.NlParse(stream, rules)
	ours := make([]int, len(tb.Slots))
	for typ := range tb.Slots {
		a := tb.Get(uint16(typ))
		if ours[typ] = -1; a != nil {
			ours[typ] = offset(stream, a)
		}
	}
	switch {
	case (err == nil) != (errno == 0):
		return unnamed("%d; nlwire: %v", errno, err)
	case err == nil && !slices.Equal(table[1:], ours[1:]):
		return unnamed("table %v; nlwire: %v", table, ours)
	case err == nil && table[0] >= 0:
		return named("libnl-type-0")
	}
	return agreed
}

// nlAttribute compares the results for one attribute.
func nlAttribute(rules []clib.Rule, p *policy.Policy, a nla.Attr) verdict {
	if int(a.Type()) >= len(rules) {
		return agreed
	}
	n := len(a.Payload())
	_, errno := clib.NlParse(a, rules)
	accepts, refuses := errno == 0, policy.Validate(a, p, policy.Liberal) != nil
	r := &p.Attrs[a.Type()]
	hasNUL := n > 0 && a.Payload()[n-1] == 0
	switch {
	case accepts != refuses:
		return agreed
	case accepts && r.Kind == policy.KindFlag && n > 0:
		return named("libnl-flag-with-payload")
	case accepts && r.Kind == policy.KindMsecs && n < 8:
		return named("libnl-short-msecs")
	case accepts && r.Kind >= policy.KindS8 && r.Kind <= policy.KindS64 && r.Len == 0 && n < 1<<(r.Kind-policy.KindS8):
		return named("libnl-short-signed")
	case accepts && r.Kind == policy.KindNested && n > 0 && n < 4:
		return named("libnl-short-nest")
	case accepts && r.Kind == policy.KindNULString && !slices.Contains(a.Payload(), 0):
		return named("libnl-nul-string-without-nul")
	case !accepts && r.Kind == policy.KindString && n > 0 && !hasNUL:
		return named("libnl-string-needs-nul")
	case !accepts && (r.Kind == policy.KindString || r.Kind == policy.KindNULString) && hasNUL && n == int(r.Len)+1:
		return named("libnl-most-counts-the-nul")
	}
	return unnamed("%d for % x under %+v; nlwire refuses: %v", errno, []byte(a), *r, refuses)
}

// FuzzPolicies compares the validation of attributes for the rules that both libraries have.
func FuzzPolicies(f *testing.F) { fuzzKind(f, "policies") }
