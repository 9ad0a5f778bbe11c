package ctrl

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policydump"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// oldKernel is a port of a bus that answers policy dumps like an old kernel.
type oldKernel struct {
	*bus.Port
	t      *testing.T
	bus    *bus.Bus
	answer func(request nlmsg.Msg, portID uint32) []byte
	dumps  *int
}

func (k *oldKernel) Send(b []byte) error {
	h, _ := genlmsg.Consume(nlmsg.Msg(b).Payload())
	if nlmsg.Msg(b).Type() != genlmsg.IDCtrl || h.Cmd() != genlmsg.CtrlCmdGetPolicy {
		return k.Port.Send(b)
	}
	*k.dumps++
	return k.bus.Unicast(0, k.PortID(), k.answer(bytes.Clone(b), k.PortID()))
}

// newOldKernel makes a Client of a bus with the families. answer replaces the controller's
// answers to policy dumps. dumps counts these dumps.
func newOldKernel(t *testing.T, answer func(nlmsg.Msg, uint32) []byte, families ...*bus.Family) (c *Client, dumps *int) {
	t.Helper()
	w := newBus(t, families...)
	dumps = new(int)
	dial := func() (conn.Transport, error) {
		p, err := w.bus.Open(bus.WithFlags(socket.ExtAck, socket.CapAck))
		return &oldKernel{p, t, w.bus, answer, dumps}, err
	}
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	over := conn.New(first, conn.WithDialer(dial))
	t.Cleanup(func() { over.Close() })
	return New(over), dumps
}

// linux56 refuses GETPOLICY, which it lacks.
func linux56(m nlmsg.Msg, portID uint32) []byte {
	return nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EOPNOTSUPP, Request: m}, nlmsg.AckOptions{PortID: portID, Cap: true, Ext: true})
}

// linux57 exports the policy of a family. It validates strictly, and refuses CTRL_ATTR_OP
// unless ignoresOp is set (ctrl_dumppolicy of Linux 5.7).
func linux57(p *policy.Policy, ignoresOp bool) func(nlmsg.Msg, uint32) []byte {
	known := &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU16}, 2: {Kind: policy.KindNULString, Len: 15}, 8: {}}}
	return func(m nlmsg.Msg, portID uint32) (b []byte) {
		opts := nlmsg.AckOptions{PortID: portID, Cap: true, Ext: true}
		var report policy.Report
		if e := nlmsg.ParseReport(nil, m, genlmsg.HeaderLen, known, policy.Strict, &report); e != 0 && !ignoresOp {
			ext := nlmsg.ExtAck{Errno: e, Request: m}
			ext.SetReport(&report, nil)
			return nlmsg.AppendAck(nil, &ext, opts)
		}
		if p == nil {
			return nlmsg.AppendDone(nil, &nlmsg.ExtAck{Errno: errno.ENODATA, Request: m}, 0, opts)
		}
		id, _ := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
		var tables policydump.Tables
		tables.Add(p)
		for table, typ, ok := tables.Next(0, 0); ok; table, typ, ok = tables.Next(table, typ+1) {
			mark := len(b)
			b = nlmsg.Begin(b, genlmsg.IDCtrl, nlmsg.FlagMulti, m.Seq(), portID)
			b = genlmsg.Append(b, genlmsg.CtrlCmdGetPolicy, genlmsg.CtrlVersion)
			b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, id)
			attrs := tables.AppendRule(nil, table, typ)
			b = nlmsg.End(append(b, attrs...), mark)
		}
		return nlmsg.AppendDone(b, &nlmsg.ExtAck{Request: m}, 0, opts)
	}
}

// oldFamily has operations of all forms under one policy.
func oldFamily() (*bus.Family, *policy.Policy) {
	inner := &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU8, 1, 7)}}
	p := &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU32, 1, 9), 2: policy.Nest(inner)}}
	return &bus.Family{Name: "old", Version: 1, ResvStartOp: 0xff, Policy: p, Ops: []bus.Op{
		{Cmd: 1, Validate: bus.DontValidateStrict, Do: accept},
		{Cmd: 2, Validate: bus.DontValidateStrict | bus.DontValidateDump, Do: accept, Dump: none},
		{Cmd: 3, Validate: bus.DontValidateDump, Dump: none},
	}}, p
}

func oldRequest(f *Family, cmd uint8, flags nlmsg.Flags, value uint32) nlmsg.Msg {
	b := nlmsg.Begin(nil, nlmsg.Type(f.ID), nlmsg.FlagRequest|flags, 1, 0)
	b = nla.AppendUint32(genlmsg.Append(b, cmd, 1), 1, value)
	return nlmsg.Msg(nlmsg.End(b, 0))
}

// A kernel that exports no policies refuses the export, not the request to be checked. A
// family without policies has a different result.
func TestPoliciesNotExported(t *testing.T) {
	old, _ := oldFamily()
	plain := &bus.Family{Name: "plain", Version: 1, ResvStartOp: 0xff, Ops: []bus.Op{{Cmd: 1, Do: accept}}}
	c, dumps := newOldKernel(t, linux56, old, plain)
	f, err := c.Family(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	_, policies := c.Policies(t.Context(), &f)
	_, opPolicy := c.OpPolicy(t.Context(), f.ID, 1)
	_, checker := c.Checker(t.Context(), &f, 1, false)
	for name, err := range map[string]error{
		"Policies": policies, "OpPolicy": opPolicy, "Checker": checker,
		"Check": c.Check(t.Context(), oldRequest(&f, 1, 0, 5)),
	} {
		var export *conn.Error
		var refusal *policy.Error
		if !errors.Is(err, ErrNotExported) || !errors.As(err, &export) || errors.As(err, &refusal) || !strings.Contains(err.Error(), "old") && !strings.Contains(err.Error(), "id ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	before := *dumps
	if err := c.Check(t.Context(), oldRequest(&f, 9, 0, 5)); errors.Is(err, ErrNotExported) || !errors.Is(err, errNoOperation) {
		t.Errorf("an operation that does not exist: %v", err)
	}
	if f, err = c.Family(t.Context(), "plain"); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context(), oldRequest(&f, 1, 0, 5)); err != nil || *dumps != before {
		t.Errorf("an operation without a policy: %v, %d dumps", err, *dumps-before)
	}
}

// Kernels that export by family send rules without operations.
func TestPoliciesByFamily(t *testing.T) {
	for _, ignoresOp := range []bool{false, true} {
		old, exported := oldFamily()
		c, _ := newOldKernel(t, linux57(exported, ignoresOp), old)
		f, err := c.Family(t.Context(), "old")
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Policies(t.Context(), &f)
		if err != nil || p.Common == nil || len(p.Tables()) != 2 || p.Common.Attrs[1].Max != 9 || p.Common.Attrs[2].Nested.Attrs[1].Max != 7 {
			t.Fatalf("%+v, %v", p, err)
		}
		want := []OpPolicy{{Cmd: 1, Do: p.Common}, {Cmd: 2, Do: p.Common, Dump: p.Common}, {Cmd: 3, Dump: p.Common}}
		for i, op := range p.Ops {
			if op != want[i] {
				t.Errorf("operation %d: %+v", op.Cmd, op)
			}
		}
		if _, ok := p.Op(9); ok || len(p.Ops) != len(want) {
			t.Errorf("%d operations, one of them 9: %v", len(p.Ops), ok)
		}
		op, err := c.OpPolicy(t.Context(), f.ID, 2)
		if err != nil || op.Cmd != 2 || op.Do == nil || op.Do != op.Dump || op.Do.Attrs[1].Max != 9 {
			t.Errorf("OpPolicy: %+v, %v", op, err)
		}
		checksByFamily(t, c, &f)
	}
}

// checksByFamily checks requests under the policy of a family.
func checksByFamily(t *testing.T, c *Client, f *Family) {
	t.Helper()
	for _, tt := range []struct {
		cmd     uint8
		flags   nlmsg.Flags
		value   uint32
		refused bool
	}{
		{1, 0, 5, false}, {1, 0, 10, true},
		{2, 0, 10, true}, {2, nlmsg.FlagDump, 10, false}, {3, nlmsg.FlagDump, 10, false}, // a dump may not be validated
	} {
		m := oldRequest(f, tt.cmd, tt.flags, tt.value)
		var refusal *policy.Error
		if err := c.Check(t.Context(), m); (err != nil) != tt.refused || tt.refused && !errors.As(err, &refusal) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// Policies by family, encoded again, are the messages of the kernel.
func TestPoliciesByFamilyWrittenAgain(t *testing.T) {
	old, exported := oldFamily()
	c, _ := newOldKernel(t, linux57(exported, false), old)
	f, err := c.Family(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Policies(t.Context(), &f)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]byte
	for b := range p.Messages() {
		got = append(got, bytes.Clone(b))
	}
	if diff := cmp.Diff(exportOf(t, c, f.ID), got); diff != "" {
		t.Errorf("-kernel +again:\n%s", diff)
	}
}

// A family without a policy has empty Policies. This is not an error, by family or by
// operation.
func TestNoPolicies(t *testing.T) {
	old, _ := oldFamily()
	byFamily, _ := newOldKernel(t, linux57(nil, false), old)
	plain := &bus.Family{Name: "old", Version: 1, ResvStartOp: 0xff, Ops: []bus.Op{{Cmd: 1, Do: accept}}}
	for name, c := range map[string]*Client{"by family": byFamily, "by operation": newBus(t, plain).client(t)} {
		f, err := c.Family(t.Context(), "old")
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Policies(t.Context(), &f)
		if err != nil || p.Common != nil || len(p.Ops) != 0 || len(p.Tables()) != 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		op, err := c.OpPolicy(t.Context(), f.ID, 1)
		if err != nil || op.Do != nil || op.Dump != nil || op.Cmd != 1 {
			t.Errorf("%s: %+v, %v", name, op, err)
		}
		if err := c.Check(t.Context(), oldRequest(&f, 1, 0, 10)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Other refusals of the export are neither ErrNotExported nor empty Policies.
func TestPoliciesRefused(t *testing.T) {
	old, _ := oldFamily()
	c, dumps := newOldKernel(t, func(m nlmsg.Msg, portID uint32) []byte {
		return nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EINVAL, Request: m}, nlmsg.AckOptions{PortID: portID})
	}, old)
	f, err := c.Family(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.OpPolicy(t.Context(), f.ID, 1); !errors.Is(err, errno.EINVAL) || errors.Is(err, ErrNotExported) || *dumps != 2 {
		t.Errorf("%v after %d dumps", err, *dumps)
	}
}
