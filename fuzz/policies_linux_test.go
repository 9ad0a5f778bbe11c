package fuzz

import (
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
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
	unsure unsureRules
}

// unsureRules are types with unknown rules, by policy. They are not sent.
type unsureRules map[*policy.Policy]map[uint16]bool

func (u unsureRules) add(p *policy.Policy, typ uint16) {
	if u[p] == nil {
		u[p] = map[uint16]bool{}
	}
	u[p][typ] = true
}

// certain reports whether the rules of all attributes are known.
func (u unsureRules) certain(p *policy.Policy, attrs []byte) bool {
	if len(u) == 0 {
		return true
	}
	for a := range nla.All(attrs) {
		if u[p][a.Type()] {
			return false
		}
		if int(a.Type()) >= len(p.Attrs) {
			continue
		}
		switch r := &p.Attrs[a.Type()]; {
		case r.Nested == nil:
		case r.Kind == policy.KindNested && !u.certain(r.Nested, a.Payload()):
			return false
		case r.Kind == policy.KindNestedArray:
			for entry := range nla.All(a.Payload()) {
				if !u.certain(r.Nested, entry.Payload()) {
					return false
				}
			}
		}
	}
	return true
}

// isCertain reports whether the rules of all attributes are known.
func (o *operation) isCertain(attrs []byte) bool { return o.unsure.certain(o.policy, attrs) }

// extend makes typ a type of the policy.
func extend(p *policy.Policy, typ int) {
	for len(p.Attrs) <= typ {
		p.Attrs = append(p.Attrs, policy.Rule{})
	}
}

// genericOperations returns the operations of a family with policies that the kernel exports and
// applies. A learner completes the policies.
func (k *kernel) genericOperations(t *testing.T, c *ctrl.Client, f ctrl.Family) []operation {
	t.Helper()
	var out []operation
	policies, err := c.Policies(t.Context(), &f)
	if err != nil {
		t.Fatal(err)
	}
	l := &learner{unsure: unsureRules{}, tops: map[visit]*policy.Policy{}, visited: map[visit]bool{}}
	for _, op := range policies.Ops {
		for _, isDump := range []bool{false, true} {
			p := op.Do
			if isDump {
				p = op.Dump
			}
			if p == nil || isExcluded(f.Name, op.Cmd) {
				continue
			}
			// The top level may have more types than the same policy has as a nested policy.
			own := &policy.Policy{Attrs: append([]policy.Rule(nil), p.Attrs...)}
			header := genlmsg.Append(nil, uint8(op.Cmd), uint8(f.Version))
			o := operation{
				name: fmt.Sprintf("%s %d", f.Name, op.Cmd), family: f.Name, kernel: k, typ: nlmsg.Type(f.ID),
				header: append(header, make([]byte, nla.Align(int(f.HdrSize)))...), policy: own, unsure: l.unsure,
			}
			if isDump {
				o.flags, o.name = nlmsg.FlagDump, o.name+" dump"
			}
			if o.isValidated(t) {
				l.complete(t, &o, p, int(f.MaxAttr))
				out = append(out, o)
			}
		}
	}
	return out
}

// isExcluded reports whether the test cannot send requests to an operation.
func isExcluded(family string, cmd uint32) bool {
	return family == "TASKSTATS" && cmd == 4 // it never answers
}

// isValidated determines the mode of the operation, and reports whether the kernel validates it
// at all: old operations do not validate dump requests (GENL_DONT_VALIDATE_DUMP).
func (o *operation) isValidated(t *testing.T) bool {
	t.Helper()
	if a := o.send(t, nla.AppendFlag(nil, nla.TypeMask)); string(a.Msg) == "Unknown attribute type" {
		o.mode = policy.Strict
		return true
	}
	for typ, r := range o.policy.Attrs {
		switch r.Kind {
		case policy.KindU8, policy.KindU16, policy.KindU32, policy.KindU64, policy.KindNULString:
			switch a := o.send(t, nla.AppendFlag(nil, uint16(typ))); string(a.Msg) {
			case "Attribute failed policy validation", "invalid attribute length":
				return true
			}
			return false
		}
	}
	return false
}
