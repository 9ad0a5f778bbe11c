package ctrl

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A Checker lets pass what is accepted by rules that are told as others, or not at
// all: NLA_BE16, and NLA_POLICY_EXACT_LEN_WARN under liberal validation.
func TestCheckerOfRulesThatAreToldOtherwise(t *testing.T) {
	accept := func(*bus.Info) error { return nil }
	policy := &nla.Policy{Attrs: []nla.Rule{1: {Kind: nla.KindU32}, 2: {Kind: nla.KindBE16}, 3: nla.ExactLenWarn(6)}}
	family := &bus.Family{Name: "f", Version: 1, ResvStartOp: 2, Policy: policy, SmallOps: []bus.SmallOp{
		{Cmd: 1, Validate: bus.DontValidateStrict, Do: accept}, {Cmd: 2, Do: accept},
	}}
	b := bus.New()
	defer b.Close()
	if err := b.Register(family); err != nil {
		t.Fatal(err)
	}
	dial := func() (conn.Transport, error) { return b.Open(bus.With(socket.ExtAck)) }
	main, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	over := conn.New(main, conn.WithDialer(dial))
	defer over.Close()
	c := New(over)
	f, err := c.Family(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		cmd    uint8
		attrs  []byte
		passes bool
	}{
		{"2 bytes, strict", 2, nla.AppendBE16(nil, 2, 1), true},
		{"2 bytes, liberal", 1, nla.AppendBE16(nil, 2, 1), true},
		{"as long as it should be", 1, nla.AppendBytes(nil, 3, make([]byte, 6)), true},
		{"longer, liberal", 1, nla.AppendBytes(nil, 3, make([]byte, 7)), true},
		{"longer, strict", 2, nla.AppendBytes(nil, 3, make([]byte, 7)), false},
		{"shorter, liberal", 1, nla.AppendBytes(nil, 3, make([]byte, 5)), false},
	}
	for _, tt := range tests {
		k, err := c.Checker(t.Context(), &f, tt.cmd, false)
		if err != nil {
			t.Fatal(err)
		}
		r := over.Request(nlmsg.Type(f.ID), nlmsg.Request|nlmsg.Ack, []byte{tt.cmd, 1, 0, 0})
		r.B = append(r.B, tt.attrs...)
		if _, err := over.Do(t.Context(), r); (err == nil) != tt.passes {
			t.Errorf("%s: the bus: %v", tt.name, err)
		}
		if err := k.Check(nlmsg.Msg(r.B)); (err == nil) != tt.passes {
			t.Errorf("%s: the Checker: %v", tt.name, err)
		}
	}
}

// What a family says of itself is not believed without limit: a bus may be anybody's.
func TestCheckerOfAFamilyWithAHugeHeader(t *testing.T) {
	var c Client // is not asked
	for _, size := range []uint32{1<<16 + 1, 1 << 31, 1<<32 - 1} {
		k, err := c.Checker(t.Context(), &Family{Name: "x", HdrSize: size}, 1, false)
		if k != nil || !errors.Is(err, ErrHeaderSize) {
			t.Errorf("header of %d bytes: %v, %v", size, k, err)
		}
	}
}
