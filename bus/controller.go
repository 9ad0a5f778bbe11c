package bus

import (
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// The controller's policies (ctrl_policy_family, ctrl_policy_policy).
var (
	ctrlFamilyPolicy = &policy.Policy{Attrs: []policy.Rule{
		genlmsg.CtrlAttrFamilyID:   {Kind: policy.KindU16},
		genlmsg.CtrlAttrFamilyName: {Kind: policy.KindNULString, Len: genlmsg.NameSize - 1},
	}}
	ctrlPolicyPolicy = &policy.Policy{Attrs: []policy.Rule{
		genlmsg.CtrlAttrFamilyID:   {Kind: policy.KindU16},
		genlmsg.CtrlAttrFamilyName: {Kind: policy.KindNULString, Len: genlmsg.NameSize - 1},
		genlmsg.CtrlAttrOp:         {Kind: policy.KindU32},
	}}
)

// newController makes the family nlctrl (genl_ctrl).
func newController(b *Bus) *Family {
	f := &Family{
		Name: genlmsg.CtrlName, Version: genlmsg.CtrlVersion, NetNSOK: true,
		ResvStartOp: genlmsg.CtrlCmdGetPolicy + 1,
		Groups:      []Group{{Name: genlmsg.CtrlGroup}},
	}
	if !b.features.Has(FeatureSplitOps) {
		f.Ops = []Op{
			{
				Cmd: genlmsg.CtrlCmdGetFamily, Validate: DontValidateStrict | DontValidateDump,
				Policy: ctrlFamilyPolicy, Do: b.getFamily, Dump: b.dumpFamilies,
			},
			{Cmd: genlmsg.CtrlCmdGetPolicy, Policy: ctrlPolicyPolicy, Start: b.startPolicies, Dump: dumpPolicies},
		}
		return f
	}
	f.SplitOps = []SplitOp{
		{
			Cmd: genlmsg.CtrlCmdGetFamily, Flags: genlmsg.OpDo, Validate: DontValidateStrict,
			Policy: ctrlFamilyPolicy, Do: b.getFamily,
		},
		{
			Cmd: genlmsg.CtrlCmdGetFamily, Flags: genlmsg.OpDump, Validate: DontValidateDump,
			Policy: ctrlFamilyPolicy, Dump: b.dumpFamilies,
		},
		{
			Cmd: genlmsg.CtrlCmdGetPolicy, Flags: genlmsg.OpDump, Policy: ctrlPolicyPolicy,
			Start: b.startPolicies, Dump: dumpPolicies,
		},
	}
	return f
}

// byID returns a family, or nil. The caller holds b.registry, as all handlers do.
func (b *Bus) byID(id uint16) *Family {
	if int(id) < len(b.ids.families) {
		return b.ids.families[id]
	}
	return nil
}

// byName returns the family that the name attribute selects, or nil.
func (b *Bus) byName(attrs *nla.Table) *Family {
	return b.names[string(attrs.Text(genlmsg.CtrlAttrFamilyName))]
}

// getFamily replies with one family. If the request contains both a name and an ID, the
// name selects the family (ctrl_getfamily).
func (b *Bus) getFamily(i *Info) error {
	var f *Family
	switch {
	case i.Attrs.Has(genlmsg.CtrlAttrFamilyName):
		f = b.byName(&i.Attrs)
	case i.Attrs.Has(genlmsg.CtrlAttrFamilyID):
		f = b.byID(i.Attrs.Uint16(genlmsg.CtrlAttrFamilyID))
	default:
		return errno.EINVAL
	}
	if f == nil || !f.existsIn(i.NetNS) {
		return errno.ENOENT
	}
	m := i.Begin(genlmsg.CtrlCmdNewFamily)
	if m = appendFamily(m, f, f.on.Load()); len(m) > goodSize {
		return errno.EMSGSIZE
	}
	return i.Reply(m)
}

// dumpFamilies lists the families in the order of their IDs (ctrl_dumpfamily). As in the
// kernel, Args[0] is a count of families: if a family is registered during the dump, the
// count refers to other families.
func (b *Bus) dumpFamilies(d *Dump) error {
	n := 0
	for _, f := range b.ids.families {
		if f == nil || !f.existsIn(d.NetNS) {
			continue
		}
		if n++; n <= d.Args[0] {
			continue
		}
		m := d.Begin(nlmsg.FlagMulti, genlmsg.CtrlCmdNewFamily)
		if err := d.End(appendFamily(m, f, f.on.Load())); err != nil {
			return b.familiesEnd(err)
		}
		d.Args[0] = n
	}
	return b.familiesEnd(nil)
}

// familiesEnd returns the result of a step of dumpFamilies. Without FeatureFamiliesDone the
// kernel always returns the length of the datagram, even 0 if a family does not fit.
func (b *Bus) familiesEnd(err error) error {
	if !b.features.Has(FeatureFamiliesDone) {
		return ErrMore
	}
	return err
}

// appendFamily appends the description of a family (ctrl_fill_info). The nests have no
// Nested flag, because this interface is older than the flag. A description that is too
// long for any message is truncated.
func appendFamily(b []byte, f *Family, r *registration) []byte {
	start := len(b)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, f.Name)
	b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, r.id)
	b = nla.AppendUint32(b, genlmsg.CtrlAttrVersion, uint32(f.Version))
	b = nla.AppendUint32(b, genlmsg.CtrlAttrHdrSize, uint32(f.HdrSize))
	b = nla.AppendUint32(b, genlmsg.CtrlAttrMaxAttr, uint32(f.maxAttr()))
	if len(r.ops.list) > 0 {
		ops := len(b)
		b = nla.BeginNoFlag(b, genlmsg.CtrlAttrOps)
		for i := range r.ops.list {
			c := &r.ops.list[i]
			op := len(b)
			b = nla.BeginNoFlag(b, uint16(i+1))
			b = nla.AppendUint32(b, genlmsg.CtrlAttrOpID, uint32(c.cmd()))
			b = nla.AppendUint32(b, genlmsg.CtrlAttrOpFlags, uint32(c.flags()))
			b = nla.End(b, op)
		}
		b = nla.End(b, ops)
	}
	if len(f.Groups) > 0 {
		groups := len(b)
		b = nla.BeginNoFlag(b, genlmsg.CtrlAttrMulticastGroups)
		for i := 0; i < len(f.Groups) && len(b)-start <= maxDumpSize; i++ {
			b = appendGroup(b, f, r, i, uint16(i+1))
		}
		b = nla.End(b, groups)
	}
	return b
}

func appendGroup(b []byte, f *Family, r *registration, group int, typ uint16) []byte {
	mark := len(b)
	b = nla.BeginNoFlag(b, typ)
	b = nla.AppendUint32(b, genlmsg.CtrlAttrMulticastGroupID, r.group(group))
	b = nla.AppendCString(b, genlmsg.CtrlAttrMulticastGroupName, f.Groups[group].Name)
	return nla.End(b, mark)
}

// sendFamily sends the event for a family that was registered or unregistered
// (genl_ctrl_event). As in the kernel, no event is sent if it does not fit into a message.
func (b *Bus) sendFamily(cmd uint8, f *Family, r *registration) {
	m := b.ctrl.Begin(nil, 0, 0, 0, cmd)
	if m = appendFamily(m, f, r); len(m) <= goodSize {
		b.sendEvent(f, nlmsg.End(m, 0))
	}
}

// sendGroup sends the event for a group (ctrl_fill_mcgrp_info).
func (b *Bus) sendGroup(cmd uint8, f *Family, r *registration, group int) {
	m := b.ctrl.Begin(nil, 0, 0, 0, cmd)
	m = nla.AppendCString(m, genlmsg.CtrlAttrFamilyName, f.Name)
	m = nla.AppendUint16(m, genlmsg.CtrlAttrFamilyID, r.id)
	groups := len(m)
	m = nla.BeginNoFlag(m, genlmsg.CtrlAttrMulticastGroups)
	m = nla.End(appendGroup(m, f, r, group, 1), groups)
	b.sendEvent(f, nlmsg.End(m, 0))
}

// sendEvent sends an event to the namespaces where the family exists. ESRCH, no listener,
// is not a failure.
func (b *Bus) sendEvent(f *Family, m []byte) {
	netNS := 0
	if f.NetNSOK {
		netNS = AllNetNS
	}
	_ = b.ctrl.Multicast(netNS, 0, m, 0)
}
