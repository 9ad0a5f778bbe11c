package fuzz

import (
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// operation is something to send requests to: a message type with a fixed
// header, and the policy and mode with which the kernel validates it.
type operation struct {
	name   string
	family string
	kernel *kernel
	typ    nlmsg.Type
	flags  nlmsg.Flags
	header []byte
	policy *nla.Policy
	mode   nla.Mode
	unsure map[uint16]bool // types whose rule is not known: they are not sent
}

// exported are the policies that the kernel tells for a family.
type exported map[exportedKey]*nla.Policy

type exportedKey struct {
	cmd    uint8
	isDump bool
}

// exportedPolicies reads CTRL_CMD_GETPOLICY and joins its tables.
func (k *kernel) exportedPolicies(t *testing.T, f ctrl.Family) exported {
	t.Helper()
	out, tables := exported{}, map[uint32]*nla.Policy{}
	table := func(i uint32) *nla.Policy {
		if tables[i] == nil {
			tables[i] = &nla.Policy{}
		}
		return tables[i]
	}
	b := genlmsg.Append(nil, genlmsg.CtrlCmdGetPolicy, genlmsg.CtrlVersion)
	b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, f.ID)
	k.exchange(t, genlmsg.IDCtrl, nlmsg.Dump, b, func(m nlmsg.Msg) {
		for a := range nla.All(genlmsg.Attrs(m, 0)) {
			switch a.Type() {
			case genlmsg.CtrlAttrOpPolicy:
				for op := range nla.All(a.Payload()) {
					for which := range nla.All(op.Payload()) {
						i, err := which.Uint32()
						if err != nil {
							t.Fatal(err)
						}
						out[exportedKey{uint8(op.Type()), which.Type() == genlmsg.CtrlAttrPolicyDump}] = table(i)
					}
				}
			case genlmsg.CtrlAttrPolicy:
				for p := range nla.All(a.Payload()) {
					for rule := range nla.All(p.Payload()) {
						addRule(t, table(uint32(p.Type())), rule, table)
					}
				}
			}
		}
	})
	return out
}

// addRule puts a described rule into its table. What the kernel does not
// export (KindUnspec, KindReject, big-endian integers) stays a hole: strict
// validation refuses it, as it does the first of these.
func addRule(t *testing.T, p *nla.Policy, described nla.Attr, table func(uint32) *nla.Policy) {
	t.Helper()
	r, ref, err := nla.ParseRule(described.Payload())
	if err != nil {
		t.Fatalf("rule % x: %v", described.Payload(), err)
	}
	if ref.Known {
		r.Nested = table(ref.Index)
		extend(r.Nested, int(ref.MaxType))
	}
	extend(p, int(described.Type()))
	p.Attrs[described.Type()] = r
}

// extend makes typ a type of the policy.
func extend(p *nla.Policy, typ int) {
	for len(p.Attrs) <= typ {
		p.Attrs = append(p.Attrs, nla.Rule{})
	}
}

// genericOperations are the operations of a family whose policies the kernel
// exports and does apply. The export lacks two things, which probes tell: the
// mode, and the highest type of the top level.
func (k *kernel) genericOperations(t *testing.T, f ctrl.Family) []operation {
	t.Helper()
	var out []operation
	policies := k.exportedPolicies(t, f)
	for _, op := range f.Ops {
		for _, isDump := range []bool{false, true} {
			p := policies[exportedKey{uint8(op.ID), isDump}]
			if p == nil || isExcluded(f.Name, op.ID) {
				continue
			}
			complete(f.Name, uint8(op.ID), p)
			own := *p // the top level may be longer than where it is nested
			own.Attrs = append([]nla.Rule(nil), p.Attrs...)
			o := operation{
				name: fmt.Sprintf("%s %d", f.Name, op.ID), family: f.Name, kernel: k,
				typ: nlmsg.Type(f.ID), header: genlmsg.Append(nil, uint8(op.ID), uint8(f.Version)), policy: &own,
			}
			if isDump {
				o.flags, o.name = nlmsg.Dump, o.name+" dump"
			}
			if o.probe(t) {
				own.Compile()
				out = append(out, o)
			}
		}
	}
	return out
}

// complete puts back what the export of a family loses and no probe tells,
// from the kernel's sources: lengths of MIN_LEN and big-endian integers.
func complete(family string, cmd uint8, p *nla.Policy) {
	switch {
	case family == "ethtool" && cmd == 48: // ethnl_rss_set_policy of net/ethtool/rss.c
		p.Attrs[5] = nla.MinLen(1)
	case family == "ethtool" && cmd == 49: // ethnl_rss_create_policy
		p.Attrs[4], p.Attrs[5] = nla.MinLen(1), nla.MinLen(1)
	case family == "mptcp_pm":
		completeAddresses(p, map[*nla.Policy]bool{})
	}
}

// completeAddresses finds mptcp_pm_address_nl_policy, wherever it is nested:
// its attribute 3 is the IPv4 address, a NLA_BE32.
func completeAddresses(p *nla.Policy, seen map[*nla.Policy]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	isAddress := len(p.Attrs) > 4 && p.Attrs[1].Kind == nla.KindU16 && p.Attrs[2].Kind == nla.KindU8 && p.Attrs[4].Kind == nla.KindBinary
	if isAddress && p.Attrs[3].Kind == nla.KindUnspec {
		p.Attrs[3].Kind = nla.KindBE32
	}
	for _, r := range p.Attrs {
		if r.Nested != nil {
			completeAddresses(r.Nested, seen)
		}
	}
}

// isExcluded tells operations that would change what the test stands on.
func isExcluded(family string, cmd uint32) bool {
	return family == "TASKSTATS" && cmd == 4 // nothing answers to it
}

// probe finds what the export does not tell: the mode, the highest type, and
// the rules that the kernel does not describe. It reports whether the kernel
// validates the operation at all: old operations do not look at what a dump
// request holds (GENL_DONT_VALIDATE_DUMP).
func (o *operation) probe(t *testing.T) bool {
	t.Helper()
	if a := o.send(t, nla.AppendFlag(nil, nla.TypeMask)); string(a.Msg) == "Unknown attribute type" {
		o.mode = nla.Strict
		for typ := 1; ; typ++ {
			if typ < len(o.policy.Attrs) && o.policy.Attrs[typ].Kind != nla.KindUnspec {
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
		if r.Kind == nla.KindU8 || r.Kind == nla.KindU16 || r.Kind == nla.KindU32 || r.Kind == nla.KindNULString {
			a := o.send(t, nla.AppendFlag(nil, uint16(typ)))
			return string(a.Msg) == "Attribute failed policy validation"
		}
	}
	return false
}

// probeRule asks for a rule that is not exported with an empty attribute: a
// KindUnspec and a KindReject say what they are. It returns false if there is
// no such type.
func (o *operation) probeRule(t *testing.T, typ uint16) (nla.Rule, bool) {
	t.Helper()
	switch a := o.send(t, nla.AppendFlag(nil, typ)); string(a.Msg) {
	case "Unknown attribute type":
		return nla.Rule{}, false
	case "Unsupported attribute":
		return nla.Rule{}, true
	case "Attribute failed policy validation":
		return nla.Rule{Kind: nla.KindReject}, true
	default:
		t.Fatalf("%s: type %d has a rule that the kernel does not export and this test does not know: %+v", o.name, typ, a)
		return nla.Rule{}, false
	}
}
