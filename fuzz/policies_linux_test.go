package fuzz

import (
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/nla/policy"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// operation is a target for requests: a message type with a fixed header, and the policy and mode
// with which the kernel validates it.
type operation struct {
	name   string
	family string
	kernel *kernel
	typ    nlmsg.Type
	flags  nlmsg.Flags
	header []byte
	policy *policy.Policy
	mode   policy.Mode
	unsure map[uint16]bool // types with unknown rules, which are not sent
}

// extend makes typ a type of the policy.
func extend(p *policy.Policy, typ int) {
	for len(p.Attrs) <= typ {
		p.Attrs = append(p.Attrs, policy.Rule{})
	}
}

// genericOperations returns the operations of a family with policies that the kernel exports and
// applies. Probes determine two properties that are not exported: the mode, and the highest type
// of the top level.
//
// Rules that the controller does not export (KindUnspec, KindReject, big-endian integers) are
// holes in the policy: strict validation rejects their attributes, as it does for KindUnspec.
func (k *kernel) genericOperations(t *testing.T, c *ctrl.Client, f ctrl.Family) []operation {
	t.Helper()
	var out []operation
	policies, err := c.Policies(t.Context(), &f)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range policies.Ops {
		for _, isDump := range []bool{false, true} {
			p := op.Do
			if isDump {
				p = op.Dump
			}
			if p == nil || isExcluded(f.Name, op.Cmd) {
				continue
			}
			complete(f.Name, uint8(op.Cmd), p)
			// The top level may have more types than the same policy has as a nested policy.
			own := &policy.Policy{Attrs: append([]policy.Rule(nil), p.Attrs...), StrictStart: p.StrictStart}
			o := operation{
				name: fmt.Sprintf("%s %d", f.Name, op.Cmd), family: f.Name, kernel: k,
				typ: nlmsg.Type(f.ID), header: genlmsg.Append(nil, uint8(op.Cmd), uint8(f.Version)), policy: own,
			}
			if isDump {
				o.flags, o.name = nlmsg.FlagDump, o.name+" dump"
			}
			if o.probe(t) {
				out = append(out, o)
			}
		}
	}
	return out
}

// complete restores, from the kernel's source, the rules that are neither exported nor found by
// probes: lengths of MIN_LEN and big-endian integers.
func complete(family string, cmd uint8, p *policy.Policy) {
	switch {
	case family == "ethtool" && cmd == 48: // ethnl_rss_set_policy of net/ethtool/rss.c
		p.Attrs[5] = policy.MinLen(1)
	case family == "ethtool" && cmd == 49: // ethnl_rss_create_policy
		p.Attrs[4], p.Attrs[5] = policy.MinLen(1), policy.MinLen(1)
	case family == "mptcp_pm":
		completeAddresses(p, map[*policy.Policy]bool{})
	}
}

// completeAddresses completes mptcp_pm_address_nl_policy at every level: its attribute 3 is the
// IPv4 address, an NLA_BE32.
func completeAddresses(p *policy.Policy, seen map[*policy.Policy]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	isAddress := len(p.Attrs) > 4 && p.Attrs[1].Kind == policy.KindU16 && p.Attrs[2].Kind == policy.KindU8 && p.Attrs[4].Kind == policy.KindBinary
	if isAddress && p.Attrs[3].Kind == policy.KindUnspec {
		p.Attrs[3].Kind = policy.KindBE32
	}
	for _, r := range p.Attrs {
		if r.Nested != nil {
			completeAddresses(r.Nested, seen)
		}
	}
}

// isExcluded reports whether the test cannot send requests to an operation.
func isExcluded(family string, cmd uint32) bool {
	return family == "TASKSTATS" && cmd == 4 // it never answers
}

// probe determines the properties that are not exported: the mode, the highest type, and the
// rules that the kernel does not describe. It reports whether the kernel validates the operation
// at all: old operations do not validate dump requests (GENL_DONT_VALIDATE_DUMP).
func (o *operation) probe(t *testing.T) bool {
	t.Helper()
	if a := o.send(t, nla.AppendFlag(nil, nla.TypeMask)); string(a.Msg) == "Unknown attribute type" {
		o.mode = policy.Strict
		for typ := 1; ; typ++ {
			if typ < len(o.policy.Attrs) && o.policy.Attrs[typ].Kind != policy.KindUnspec {
				continue
			}
			r, ok := o.probeRule(t, uint16(typ))
			if !ok {
				return true
			}
			extend(o.policy, typ)
			o.policy.Attrs[typ] = r
		}
	}
	for typ, r := range o.policy.Attrs {
		if r.Kind == policy.KindU8 || r.Kind == policy.KindU16 || r.Kind == policy.KindU32 || r.Kind == policy.KindNULString {
			a := o.send(t, nla.AppendFlag(nil, uint16(typ)))
			return string(a.Msg) == "Attribute failed policy validation"
		}
	}
	return false
}

// probeRule sends an empty attribute to find a rule that is not exported: the error distinguishes
// KindUnspec and KindReject. It returns false if the type does not exist.
func (o *operation) probeRule(t *testing.T, typ uint16) (policy.Rule, bool) {
	t.Helper()
	switch a := o.send(t, nla.AppendFlag(nil, typ)); string(a.Msg) {
	case "Unknown attribute type":
		return policy.Rule{}, false
	case "Unsupported attribute":
		return policy.Rule{}, true
	case "Attribute failed policy validation":
		return policy.Rule{Kind: policy.KindReject}, true
	default:
		t.Fatalf("%s: type %d has a rule that is not exported and not in this test: %+v", o.name, typ, a)
		return policy.Rule{}, false
	}
}
