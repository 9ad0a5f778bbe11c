package ctrl

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// checkers returns the Checkers of an operation, one for each mode.
func checkers(t *testing.T, c *Client, f *Family, cmd uint8) (liberal, strict *Checker) {
	t.Helper()
	k, err := c.Checker(t.Context(), f, cmd, false)
	if err != nil {
		t.Fatal(err)
	}
	return k, k.Strict()
}

// exportCases are requests for the policy of TestCheckerOfRulesExportedAsOthers.
var exportCases = []struct {
	name                       string
	attrs                      []byte
	liberal, strict, mayDiffer bool // the request passes; mayDiffer: the Checker accepts it for lack of information
	otherError                 bool // the rule is exported as a UINT, which has another error
}{
	{name: "be16", attrs: nla.AppendBE16(nil, 2, 1), liberal: true, strict: true},
	{name: "be16 of no bytes", attrs: nla.AppendFlag(nil, 2), mayDiffer: true},
	{name: "the exact length", attrs: nla.AppendBytes(nil, 3, make([]byte, 6)), liberal: true, strict: true},
	{name: "longer", attrs: nla.AppendBytes(nil, 3, make([]byte, 7)), liberal: true},
	{name: "shorter", attrs: nla.AppendBytes(nil, 3, make([]byte, 5))},
	{name: "msecs", attrs: nla.AppendUint64(nil, 4, 1), liberal: true, strict: true},
	{name: "msecs of 9 bytes", attrs: nla.AppendBytes(nil, 4, make([]byte, 9)), liberal: true, strict: true},
	{name: "msecs of 7 bytes", attrs: nla.AppendBytes(nil, 4, make([]byte, 7)), otherError: true},
	{name: "msecs of 4 bytes", attrs: nla.AppendUint32(nil, 4, 1), mayDiffer: true},
	{name: "msecs in range", attrs: nla.AppendUint64(nil, 5, 9), liberal: true, strict: true},
	{name: "msecs out of range", attrs: nla.AppendUint64(nil, 5, 10)},
	{name: "uint and a function", attrs: nla.AppendUint64(nil, 6, 10), liberal: true, strict: true},
	{name: "uint and a function, 9 bytes", attrs: nla.AppendBytes(nil, 6, make([]byte, 9)), mayDiffer: true},
	{name: "uint", attrs: nla.AppendUint32(nil, 7, 9), liberal: true, strict: true},
	{name: "uint out of range", attrs: nla.AppendUint32(nil, 7, 10)},
	{name: "uint of 64 bits out of range", attrs: nla.AppendUint64(nil, 7, 1<<32+1)},
	{name: "uint with the Nested bit", attrs: nla.AppendUint32(nil, 7|nla.Nested, 9), liberal: true},
	{name: "u8 of 2 bytes", attrs: nla.AppendUint16(nil, 8, 9), liberal: true},
	{name: "be32 above the last exported type", attrs: nla.AppendUint32(nil, 9, 9), liberal: true, strict: true},
	{name: "an unknown type", attrs: nla.AppendUint32(nil, 99, 9), liberal: true, mayDiffer: true},
	{name: "leftover bytes", attrs: append(nla.AppendUint8(nil, 8, 9), 1, 2), liberal: true},
}

// Some rules are not exported, or as rules of another kind: NLA_BE16, NLA_MSECS,
// NLA_POLICY_EXACT_LEN_WARN. A Checker accepts their payloads. The bus refuses everything
// that the Checker refuses.
func TestCheckerOfRulesExportedAsOthers(t *testing.T) {
	policy := &policy.Policy{Attrs: []policy.Rule{
		1: {Kind: policy.KindU32}, 2: {Kind: policy.KindBE16}, 3: policy.ExactLenWarn(6), 4: {Kind: policy.KindMsecs},
		5: policy.Range(policy.KindMsecs, 1, 9), 6: {Kind: policy.KindUint, Check: policy.CheckFunc, Func: func(nla.Attr) error { return nil }},
		7: policy.Range(policy.KindUint, 1, 9), 8: {Kind: policy.KindU8}, 9: {Kind: policy.KindBE32},
	}}
	w := newBus(t, &bus.Family{Name: "f", Version: 1, ResvStartOp: 2, Policy: policy, Ops: []bus.Op{
		{Cmd: 1, Validate: bus.DontValidateStrict, Do: accept}, {Cmd: 2, Do: accept},
	}})
	c := w.client(t)
	f, err := c.Family(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	liberal, strict := checkers(t, c, &f, 1)
	_, strict2 := checkers(t, c, &f, 2)
	for _, tt := range exportCases {
		for cmd, k := range map[uint8]*Checker{1: liberal, 2: strict, 3: strict2} {
			passes := tt.strict
			if cmd == 1 {
				passes = tt.liberal
			}
			r := f.Request(c.conn, min(cmd, 2), nlmsg.FlagRequest|nlmsg.FlagAck)
			r.B = append(r.B, tt.attrs...)
			_, verdict := c.conn.Do(t.Context(), r)
			if (verdict == nil) != passes {
				t.Errorf("%s, operation %d: the bus: %v", tt.name, cmd, verdict)
			}
			err := k.Check(nlmsg.Msg(r.B))
			if accepts := passes || tt.mayDiffer; (err == nil) != accepts {
				t.Errorf("%s, operation %d: the Checker: %v", tt.name, cmd, err)
			}
			if err != nil && !tt.otherError {
				sameRefusal(t, tt.name, err, verdict)
			}
			r.Release()
		}
	}
}

// sameRefusal compares a Checker's refusal with that of the kernel or a bus.
func sameRefusal(t *testing.T, name string, got, want error) {
	t.Helper()
	var checked *policy.Error
	var answer *conn.Error
	if !errors.As(got, &checked) || !errors.As(want, &answer) {
		t.Errorf("%s: the Checker: %v; the answer: %v", name, got, want)
		return
	}
	if checked.Errno != answer.Errno || checked.Msg != string(answer.Msg) ||
		checked.HasAttr != (answer.Offset != 0) || checked.HasAttr && uint32(checked.Offset) != answer.Offset || (checked.Policy == nil) != (answer.Policy == nil) {
		t.Errorf("%s: the Checker: %v, %+v; the answer: %v, %+v", name, got, checked, want, answer)
	}
}

// If an operation has no policy, but the kernel exports one, it accepts everything, including
// leftover bytes.
func TestCheckerOfAnEmptyPolicy(t *testing.T) {
	w := newBus(t, &bus.Family{Name: "f", Version: 1, SplitOps: []bus.SplitOp{{Cmd: 1, Flags: genlmsg.OpDo, Do: accept}}})
	c := w.client(t)
	f, err := c.Family(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	if op, _ := f.Op(1); op.Flags&genlmsg.OpPolicy == 0 {
		t.Fatalf("not exported: %+v", op)
	}
	liberal, strict := checkers(t, c, &f, 1)
	r := f.Request(c.conn, 1, nlmsg.FlagRequest|nlmsg.FlagAck)
	defer r.Release()
	r.B = append(nla.AppendUint32(r.B, 1, 1), 1, 2)
	_, verdict := c.conn.Do(t.Context(), r)
	if err := errors.Join(verdict, liberal.Check(nlmsg.Msg(r.B)), strict.Check(nlmsg.Msg(r.B))); err != nil {
		t.Error(err)
	}
}

// If only the do or only the dump of an operation has a policy, the kernel exports an empty
// policy for the other. The half without a policy accepts everything. dev-get of netdev is an
// example.
func TestCheckerOfHalfAnOperation(t *testing.T) {
	rule := func(hi int64) *policy.Policy {
		return &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU32, 1, hi)}}
	}
	both := rule(4)
	w := newBus(t, &bus.Family{Name: "f", Version: 1, SplitOps: []bus.SplitOp{
		{Cmd: 1, Flags: genlmsg.OpDo, Policy: rule(1), Do: accept},
		{Cmd: 1, Flags: genlmsg.OpDump, Dump: none},
		{Cmd: 2, Flags: genlmsg.OpDo, Policy: rule(2), Do: accept},
		{Cmd: 2, Flags: genlmsg.OpDump, Dump: none},
		{Cmd: 3, Flags: genlmsg.OpDo, Do: accept},
		{Cmd: 3, Flags: genlmsg.OpDump, Policy: rule(3), Dump: none},
		{Cmd: 4, Flags: genlmsg.OpDo, Policy: both, Do: accept},
		{Cmd: 4, Flags: genlmsg.OpDump, Policy: both, Dump: none},
	}})
	c := w.client(t)
	f, err := c.Family(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	for cmd := range uint8(4) {
		for _, isDump := range []bool{false, true} {
			o := operation{c, &f, cmd + 1, isDump, nil}
			attrs := nla.AppendUint32(nil, 1, 9)
			verdict := o.verdict(t, attrs)
			k, err := c.Checker(t.Context(), &f, o.cmd, isDump)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Check(o.message(attrs)); (err == nil) != (verdict == nil) {
				t.Errorf("operation %d, dump %v: the Checker: %v; the bus: %v", o.cmd, isDump, err, verdict)
			}
		}
	}
}

// For every header size and every length of a request, the Checker and the bus agree. The
// length is compared with the header size, and the attributes start after its padding.
func TestCheckerOfHeaderSizes(t *testing.T) {
	for size := range 10 {
		w := newBus(t, &bus.Family{Name: "f", Version: 1, HdrSize: size, Ops: []bus.Op{
			{Cmd: 1, Policy: &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU32, 1, 9), 2: {Kind: policy.KindU8}}}, Do: accept},
		}})
		c := w.client(t)
		f, err := c.Family(t.Context(), "f")
		if err != nil {
			t.Fatal(err)
		}
		_, k := checkers(t, c, &f, 1)
		refused := 0
		for _, value := range []uint32{5, 10} {
			full := nla.AppendUint8(nla.AppendUint32(make([]byte, nlmsg.Align(size)), 1, value), 2, 1)
			for n := range len(full) + 1 {
				r := c.conn.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest|nlmsg.FlagAck, []byte{1, 1, 0, 0})
				r.B = append(r.B, full[:n]...)
				_, verdict := c.conn.Do(t.Context(), r)
				m := nlmsg.Msg(r.B)
				if sent, _ := nlmsg.Consume(m); len(sent) != 20+n {
					t.Fatalf("a request of %d bytes was sent with length %d", 20+n, len(sent))
				}
				err := k.Check(m)
				if (err == nil) != (verdict == nil) {
					t.Errorf("header of %d bytes, %d bytes in all: the Checker: %v; the bus: %v", size, n, err, verdict)
				} else if err != nil {
					refused++
					sameRefusal(t, "header", err, verdict)
				}
				r.Release()
			}
		}
		if refused < 20 {
			t.Errorf("header of %d bytes: only %d requests refused", size, refused)
		}
	}
}

// The size of a family header is limited, because the controller may be a hostile bus.
func TestHugeHeaders(t *testing.T) {
	var c Client // sends nothing
	for _, size := range []uint32{1<<12 + 1, 1 << 31, 1<<32 - 1} {
		f := Family{Name: "x", ID: 30, HdrSize: size}
		k, err := c.Checker(t.Context(), &f, 1, false)
		if k != nil || !errors.Is(err, ErrHeaderSize) {
			t.Errorf("header of %d bytes: %v, %v", size, k, err)
		}
		if got, err := ParseFamily(appendFamily(nil, 1, f)); !errors.Is(err, ErrHeaderSize) || got.Name != "" {
			t.Errorf("header of %d bytes: %+v, %v", size, got, err)
		}
	}
	f := Family{Name: "x", ID: 30, HdrSize: 1 << 12}
	if got, err := ParseFamily(appendFamily(nil, 1, f)); err != nil || got.HdrSize != f.HdrSize {
		t.Errorf("header of 4 KiB: %+v, %v", got, err)
	}
}

// A request can be checked before it is sent, while its length is not written yet.
func TestCheckBeforeSending(t *testing.T) {
	w := newBus(t, &bus.Family{Name: "f", Version: 1, SplitOps: []bus.SplitOp{{
		Cmd: 1, Flags: genlmsg.OpDo, Do: accept, Policy: &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU32, 1, 9)}},
	}}})
	c := w.client(t)
	f, err := c.Family(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	for v, want := range map[uint32]error{5: nil, 10: errno.ERANGE} {
		r := f.Request(c.conn, 1, nlmsg.FlagAck)
		r.B = nla.AppendUint32(r.B, 1, v)
		if err := c.Check(t.Context(), r.B); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", v, err, want)
		}
		r.Release()
	}
}
