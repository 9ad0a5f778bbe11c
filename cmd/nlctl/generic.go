package main

import (
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// describedFamily is a Generic Netlink family that a controller described.
type describedFamily struct {
	ctrl.Family
	spec      *ynl.Spec // nil if there is none
	collector *ctrl.PolicyCollector
	dump      uint32         // sequence number of the policy dump that the collector joins
	policies  *ctrl.Policies // of the collector, nil if they are outdated
}

// describe stores the description of a family.
func (d *decoder) describe(f ctrl.Family) {
	if old := d.families[f.ID]; old != nil && old.Name == f.Name {
		old.Family = f
		return
	}
	d.families[f.ID] = &describedFamily{Family: f, spec: d.specs.family(f.Name)}
}

// generic reads a message of a Generic Netlink family.
func (d *decoder) generic(v *view) {
	m := v.m
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 {
		v.err = "message has no Generic Netlink header"
		v.payload = m.Payload()
		return
	}
	v.hasGeneric, v.cmd, v.version = true, h.Cmd(), h.Version()
	if m.Type() == genlmsg.IDCtrl {
		d.controller(m, h.Cmd())
	}
	header := d.header
	var rules *policy.Policy
	if f := d.families[m.Type()]; f != nil {
		header = int(f.HdrSize)
		if v.spec = f.spec; v.spec != nil {
			v.op = operation(v.spec, m, d.direction(m), v.exchange)
		}
		rules = f.requestPolicy(m, h.Cmd())
	}
	if v.spec == nil || v.op == nil || v.op.Set == nil || len(m) > maxNamed {
		v.body = &body{header: genlmsg.UserHeader(m, header), attrs: genlmsg.Attrs(m, header), rules: rulesOf(rules)}
	}
}

// requestPolicy returns the policy of a request, nil if it is not known. Replies have other
// attributes than requests in many families.
func (f *describedFamily) requestPolicy(m nlmsg.Msg, cmd uint8) *policy.Policy {
	if f.collector == nil || m.Flags()&nlmsg.FlagRequest == 0 {
		return nil
	}
	if f.policies == nil {
		if f.policies = f.collector.Policies(&f.Family); f.policies == nil {
			f.collector = nil
			return nil
		}
	}
	op, _ := f.policies.Op(cmd)
	if m.Flags()&nlmsg.FlagDump == nlmsg.FlagDump {
		return op.Dump
	}
	return op.Do
}

// controller stores the families and policies that the controller describes. IDs have 16 bits,
// which limits the number of families, and no kernel has longer names.
func (d *decoder) controller(m nlmsg.Msg, cmd uint8) {
	switch cmd {
	case genlmsg.CtrlCmdNewFamily:
		e, err := ctrl.ParseEvent(m)
		if err == nil && e.Family.HdrSize <= maxHeader && len(e.Family.Name) < genlmsg.NameSize {
			d.describe(e.Family)
		}
	case genlmsg.CtrlCmdGetPolicy:
		id, err := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
		f := d.families[nlmsg.Type(id)]
		if err != nil || f == nil || m.Flags()&nlmsg.FlagRequest != 0 {
			return
		}
		if f.collector == nil || f.dump != m.Seq() {
			f.collector, f.dump = ctrl.NewPolicyCollector(f.ID), m.Seq()
		}
		_ = f.collector.Add(m) // a malformed dump describes nothing
		f.policies = nil
	}
}
