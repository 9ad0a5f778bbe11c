package fuzz

import (
	"slices"
	"testing"

	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// routeOperations returns requests of rtnetlink with policies from the kernel's source. They
// cover rules that are in no Generic Netlink family of the test.
func routeOperations(t *testing.T, k *kernel) []operation {
	t.Helper()
	operations := []operation{
		{name: "RTM_GETACTION dump", typ: 50, flags: nlmsg.FlagDump, header: make([]byte, 4), policy: actionPolicy, mode: policy.Liberal},
		{name: "RTM_GETNEIGH", typ: 30, header: []byte{2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, policy: neighbourPolicy, mode: policy.DeprecatedStrict},
		{name: "RTM_GETNETCONF", typ: 82, header: []byte{2, 0, 0, 0}, policy: configPolicy, mode: policy.DeprecatedStrict},
		{name: "RTM_GETLINK", typ: 18, header: make([]byte, 16), policy: linkPolicy, mode: policy.DeprecatedStrict},
	}
	for i := range operations {
		o := &operations[i]
		o.family, o.kernel = "rtnetlink", k
		o.ownPolicy(t)
	}
	return operations
}

// ownPolicy extends the operation's policy to the types of the running kernel, and adopts limits
// that depend on the kernel's version or configuration: for an attribute that is too short the
// kernel reports its rule.
func (o *operation) ownPolicy(t *testing.T) {
	t.Helper()
	p := &policy.Policy{StrictStart: o.policy.StrictStart, Attrs: append([]policy.Rule(nil), o.policy.Attrs...)}
	o.policy, o.unsure = p, unsureRules{}
	for typ := 1; typ < 128; typ++ {
		a := o.send(t, nla.AppendFlag(nil, uint16(typ)))
		if string(a.Msg) == "Unknown attribute type" {
			p.Attrs = p.Attrs[:min(typ, len(p.Attrs))]
			break
		}
		isListed := typ < len(p.Attrs) && p.Attrs[typ].Kind != policy.KindUnspec || typ < len(p.Attrs) && p.Attrs[typ].Len > 0
		if o.mode&policy.ValidateMaxType != 0 || isListed {
			extend(p, typ)
		}
		switch r, _, err := policywire.ParseRule(a.Policy); {
		case string(a.Msg) == "Unsupported attribute": // KindUnspec after StrictStart
			p.Attrs[typ] = policy.Rule{}
		case isListed && p.Attrs[typ].Kind == policy.KindBitfield32 && a.Policy == nil:
			p.Attrs[typ].Mask = o.bitfieldMask(t, uint16(typ))
		case !isListed:
			o.unsure.add(p, uint16(typ))
		case err == nil && r.Kind != p.Attrs[typ].Kind:
			o.unsure.add(p, uint16(typ))
		case err != nil && isInteger(p.Attrs[typ].Kind) && !slices.Contains(texts, string(a.Msg)): // accepted
			p.Attrs[typ] = policy.Rule{}
		case err == nil:
			p.Attrs[typ].Mask, p.Attrs[typ].Min, p.Attrs[typ].Max, p.Attrs[typ].Check = r.Mask, r.Min, r.Max, r.Check
		}
	}
	p.Compile()
}

// isInteger reports whether a kind needs a certain number of bytes.
func isInteger(k policy.Kind) bool {
	return k == policy.KindU8 || k == policy.KindU16 || k == policy.KindU32 || k == policy.KindS32
}

// bitfieldMask finds the bits of a bitfield by requests.
func (o *operation) bitfieldMask(t *testing.T, typ uint16) (mask uint32) {
	t.Helper()
	for bit := uint32(1); bit != 0; bit <<= 1 {
		a := o.send(t, nla.AppendBitfield32(nil, typ, nla.Bitfield32{Selector: bit}))
		if string(a.Msg) != "Attribute failed policy validation" {
			mask |= bit
		}
	}
	return mask
}

var (
	ruleU8  = policy.Rule{Kind: policy.KindU8}
	ruleU16 = policy.Rule{Kind: policy.KindU16}
	ruleU32 = policy.Rule{Kind: policy.KindU32}
	ruleS32 = policy.Rule{Kind: policy.KindS32}
	nest    = policy.Rule{Kind: policy.KindNested}
	reject  = policy.Rule{Kind: policy.KindReject}
	address = policy.Rule{Kind: policy.KindBinary, Len: 32}
)

// actionPolicy is tcaa_policy of net/sched/act_api.c.
var actionPolicy = &policy.Policy{Attrs: []policy.Rule{2: policy.Mask(policy.KindBitfield32, 1), 4: ruleU32, 5: {}}}

// neighbourPolicy is nda_policy of net/core/neighbour.c.
var neighbourPolicy = &policy.Policy{StrictStart: 13, Attrs: []policy.Rule{
	1: address, 2: address, 3: {Len: 16}, 4: ruleU32, 5: ruleU16, 6: ruleU16, 7: ruleU32, 8: ruleU32, 9: ruleU32, 12: ruleU8, 13: ruleU32,
	14: nest, 15: policy.Mask(policy.KindU32, 0x3), 16: ruleU16, 17: ruleU8,
}}

// configPolicy is devconf_ipv4_policy of net/ipv4/devinet.c, reduced to lengths.
var configPolicy = &policy.Policy{Attrs: []policy.Rule{1: {Len: 4}, 2: {Len: 4}, 3: {Len: 4}, 5: {Len: 4}, 6: {Len: 4}}}

// linkPolicy is ifla_policy of net/core/rtnetlink.c.
var linkPolicy = &policy.Policy{StrictStart: 65, Attrs: []policy.Rule{
	1: address, 2: address, 3: {Kind: policy.KindString, Len: 15},
	4: ruleU32, 5: ruleU32, 10: ruleU32, 13: ruleU32, 14: {Len: 32}, 15: ruleU32, 16: ruleU8, 17: ruleU8, 18: nest, 19: ruleU32,
	20: {Kind: policy.KindBinary, Len: 255}, 22: nest, 24: nest, 25: nest, 26: nest, 27: ruleU32, 28: ruleU32, 29: ruleU32,
	30: ruleU32, 31: ruleU32, 32: ruleU32, 33: ruleU8, 35: ruleU32, 37: ruleS32, 39: ruleU8, 40: ruleU32, 41: ruleU32, 43: nest,
	46: ruleS32, 47: ruleU32, 48: ruleU32, 49: policy.Min(policy.KindS32, 1), 52: nest, 53: {Kind: policy.KindString, Len: 127}, 54: reject, 55: nest,
	56: {Kind: policy.KindNULString}, 58: ruleU32, 59: reject, 60: reject, 61: reject, 63: ruleU32, 64: ruleU32,
}}
