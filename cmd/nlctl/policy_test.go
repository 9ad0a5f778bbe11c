package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

func TestPolicyOfTheController(t *testing.T) {
	needLinux(t)
	code, stdout, stderr := nlctl(t, "policy", "nlctrl")
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "2  family-name  nul-string of at most 15 bytes") {
		t.Errorf("exit %d, stderr %q\n%s", code, stderr, stdout)
	}
	code, stdout, _ = nlctl(t, "policy", "-json", "nlctrl")
	var p policies
	if err := json.Unmarshal([]byte(stdout), &p); code != exitOK || err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, stdout)
	}
	if p.Family != "nlctrl" || len(p.Ops) == 0 || p.Ops[0].ID != genlmsg.CtrlCmdGetFamily || p.Ops[0].Do == nil {
		t.Errorf("%+v", p)
	}
	if code, stdout, stderr := nlctl(t, "policy", "nosuch"); code != exitError || stdout != "" || !strings.Contains(stderr, `"nosuch"`) {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// The policies of every family of the kernel can be printed, as text and as JSON.
func TestPolicyOfEveryFamily(t *testing.T) {
	needLinux(t)
	_, stdout, _ := nlctl(t, "list", "-json")
	var families []family
	if err := json.Unmarshal([]byte(stdout), &families); err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		code, text, stderr := nlctl(t, "policy", f.Name)
		if code != exitOK || !strings.HasPrefix(text, printable(f.Name)+": ") {
			t.Errorf("%s: exit %d, stderr %q", f.Name, code, stderr)
		}
		code, stdout, stderr := nlctl(t, "policy", f.Name, "-json")
		var p policies
		if err := json.Unmarshal([]byte(stdout), &p); code != exitOK || err != nil {
			t.Errorf("%s: exit %d, stderr %q, %v", f.Name, code, stderr, err)
		}
		if n := strings.Count(text, "\npolicy "); n != len(p.Policies) {
			t.Errorf("%s: %d policies as text, %d as JSON", f.Name, n, len(p.Policies))
		}
	}
}

// A policy that nests itself is printed once, and the parts that are not exported are
// marked.
func TestPoliciesPrint(t *testing.T) {
	self := &policy.Policy{Attrs: []policy.Rule{{}, policy.ExactLen(6), {Kind: policy.KindNested}, {}, {Kind: policy.KindUint}, {Kind: policy.KindBinary}, {Kind: policy.KindU8, Check: policy.CheckFunc}}}
	self.Attrs[2].Nested = self
	p := newPolicies("evil\x1b[m", &ctrl.Policies{Ops: []ctrl.OpPolicy{{Cmd: 1, Do: self}, {Cmd: 12, Dump: self}}}, nil)
	var out bytes.Buffer
	if err := printPolicies(&out, p); err != nil {
		t.Fatal(err)
	}
	want := `"evil\x1b[m": 2 operations with a policy
  1   do: policy 0
  12  dump: policy 0

policy 0
  1  binary of 6 bytes
  2  nested, policy 0
  4  uint  (or msecs)
  5  binary  (may have limits that are not exported)
  6  u8 that a function checks  (the check is not exported)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// oldPort is a port of a bus whose controller exports no policies, as before Linux 5.7.
type oldPort struct {
	*bus.Port
	bus *bus.Bus
}

func (p oldPort) Send(b []byte) error {
	m := nlmsg.Msg(b)
	if h, _ := genlmsg.Consume(m.Payload()); m.Type() != genlmsg.IDCtrl || h.Cmd() != genlmsg.CtrlCmdGetPolicy {
		return p.Port.Send(b)
	}
	return p.bus.Unicast(0, p.PortID(), nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EOPNOTSUPP, Request: m}, nlmsg.AckOptions{PortID: p.PortID()}))
}

// A kernel that does not export policies is an error; a family without policies is not.
func TestPolicyNotExportedOrNone(t *testing.T) {
	b := bus.New()
	defer b.Close()
	if err := b.Register(&bus.Family{Name: "none", ResvStartOp: 0xff, Ops: []bus.Op{{Cmd: 1, Do: func(*bus.Info) error { return nil }}}}); err != nil {
		t.Fatal(err)
	}
	show := func(dial conn.Dialer) (string, error) {
		over, err := newConn(dial)
		if err != nil {
			t.Fatal(err)
		}
		defer over.Close()
		var out bytes.Buffer
		c := &cli.Command{Name: "x", Writer: &out, Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}}, Action: func(ctx context.Context, c *cli.Command) error {
			return showPolicies(ctx, c, &client{Client: ctrl.New(over)}, "none")
		}}
		err = c.Run(t.Context(), []string{"x"})
		return out.String(), err
	}
	out, err := show(func() (conn.Transport, error) { return b.Open() })
	if err != nil || out != "none: 0 operations with a policy\n" {
		t.Errorf("a family without policies: %q, %v", out, err)
	}
	out, err = show(func() (conn.Transport, error) {
		p, err := b.Open()
		return oldPort{p, b}, err
	})
	if !errors.Is(err, ctrl.ErrNotExported) || !strings.Contains(err.Error(), "does not export policies") || out != "" {
		t.Errorf("a kernel that exports none: %q, %v", out, err)
	}
}

func TestMonitorEnds(t *testing.T) {
	needLinux(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"nlctl", "monitor"}, &out, &errs); code != exitOK || out.Len() > 0 || errs.Len() > 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out.String(), errs.String())
	}
	if code, _, stderr := nlctl(t, "monitor", "x"); code != exitError || !strings.Contains(stderr, `"x" is neither a protocol`) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestEventsPrint(t *testing.T) {
	e := ctrl.Event{Cmd: genlmsg.CtrlCmdNewFamily, Family: ctrl.Family{Name: "a", ID: 30}}
	loss := &conn.LossError{Op: "listen", Err: errors.New("much")}
	for _, tt := range []struct {
		args []string
		e    ctrl.Event
		err  error
		want string
	}{
		{nil, e, nil, "new family a, id 30\n"},
		{nil, ctrl.Event{Cmd: genlmsg.CtrlCmdDelFamily, Family: ctrl.Family{Name: "\x1b[m", ID: 31}}, nil, `family "\x1b[m", id 31, is gone` + "\n"},
		{nil, ctrl.Event{}, loss, "conn: listen: lost: much\n"},
		{[]string{"-json"}, e, nil, `{"event":"new-family","family":{"name":"a","id":30,"version":0,"hdrsize":0,"maxattr":0,"ops":[],"groups":[]}}` + "\n"},
		{[]string{"-json"}, ctrl.Event{}, loss, `{"event":"error","error":"conn: listen: lost: much"}` + "\n"},
	} {
		var out bytes.Buffer
		c := &cli.Command{Name: "x", Writer: &out, Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}}, Action: func(_ context.Context, c *cli.Command) error {
			return printEvent(c, tt.e, tt.err)
		}}
		if err := c.Run(t.Context(), append([]string{"x"}, tt.args...)); err != nil || out.String() != tt.want {
			t.Errorf("%q, %v, want %q", out.String(), err, tt.want)
		}
	}
}
