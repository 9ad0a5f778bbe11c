package bus

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The effect of each fault on a port.
func TestFaults(t *testing.T) {
	type seen struct {
		n, size  int
		err      error
		isForged bool
		isMarked bool
	}
	const whole = 36
	tests := map[Fault][]seen{
		NoFault:      {{n: whole, size: whole}},
		Lose:         {},
		Duplicate:    {{n: whole, size: whole}, {n: whole, size: whole}},
		Truncate:     {{n: whole / 2, size: whole, err: socket.ErrTruncated}},
		NoBuffers:    {{err: errno.ENOBUFS}},
		Interrupt:    {{err: errno.EINTR}, {n: whole, size: whole}},
		Inconsistent: {{n: whole, size: whole, isMarked: false}}, // the message is not part of a dump
		Forge:        {{n: whole, size: whole, isForged: true}, {n: whole, size: whole}},
		Slow:         {{n: whole, size: whole}},
	}
	for fault, want := range tests {
		b := newBus(t, WithFaults(Script(fault)))
		f := register(t, b, simple("f", nothing))
		p := openPort(t, b)
		for round := range 2 { // the script has ended before the second round
			if err := p.Send(message(f, 1, nlmsg.FlagAck, nil)); err != nil {
				t.Fatal(err)
			}
			var got []seen
			buf := make([]byte, 100)
			for {
				n, info, err := p.TryReceive(buf)
				if err == socket.ErrEmpty {
					break
				}
				got = append(got, seen{n, info.Size, err, info.PortID != 0, nlmsg.Msg(buf[:n]).Flags()&nlmsg.FlagDumpIntr != 0})
			}
			if round == 1 {
				want = tests[NoFault]
			}
			same := slices.EqualFunc(got, want, func(a, b seen) bool {
				return a.n == b.n && a.size == b.size && a.isForged == b.isForged && a.isMarked == b.isMarked && (a.err == b.err || errors.Is(a.err, b.err))
			})
			if !same {
				t.Errorf("%v, round %d: %+v, want %+v", fault, round, got, want)
			}
		}
	}
}

// newFaulty makes a Conn to a bus with faults on its ports.
func newFaulty(t *testing.T, faults Faults, f *Family) *conn.Conn {
	t.Helper()
	b := newBus(t)
	register(t, b, f)
	dial := func() (conn.Transport, error) {
		return b.Open(WithFlags(socket.ExtAck, socket.CapAck), WithPortFaults(faults))
	}
	main, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	c := conn.New(main, conn.WithDialer(dial))
	t.Cleanup(func() { c.Close() })
	return c
}

// The effect of each fault on the requests and dumps of a Conn.
func TestFaultsThroughConn(t *testing.T) {
	request := func(c *conn.Conn, list *Family, flags nlmsg.Flags) *conn.Request {
		return c.Request(list.ID(), nlmsg.FlagRequest|flags, genlmsg.Append(nil, 1, 1))
	}
	newList := func() *Family { return lister(count(1000, 76), func(op *Op) { op.Do = nothing }) }
	for fault, want := range map[Fault]error{
		NoFault: nil, Duplicate: nil, Interrupt: nil, Forge: nil, Inconsistent: nil, Slow: nil,
		Truncate: socket.ErrTruncated, NoBuffers: errno.ENOBUFS,
	} {
		list := newList()
		c := newFaulty(t, Script(fault), list)
		r := request(c, list, nlmsg.FlagAck)
		if _, err := c.Do(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("a request, %v: %v, want %v", fault, err, want)
		}
		r.Release()
	}
	for fault, want := range map[Fault]error{
		NoFault: nil, Interrupt: nil, Forge: nil,
		Inconsistent: conn.ErrInterrupted, Truncate: socket.ErrTruncated, NoBuffers: errno.ENOBUFS,
	} {
		list := newList()
		c := newFaulty(t, Script(NoFault, fault), list) // a new Conn: an earlier fault has no effect on it
		r := request(c, list, 0)
		var end error
		n := 0
		for _, err := range c.Dump(t.Context(), r) {
			if err != nil {
				end = err
			} else {
				n++
			}
		}
		if !errors.Is(end, want) || want == nil && n != 1000 {
			t.Errorf("a dump, %v: %d messages, %v; want %v", fault, n, end, want)
		}
		r.Release()
	}
}

// Under random faults a client gets errors, but no wrong reply, and it works after the
// faults have stopped.
func TestRandomFaults(t *testing.T) {
	echo := simple("echo", func(i *Info) error {
		b := i.Begin(1)
		return i.Reply(nla.AppendUint32(b, 1, i.Attrs.Uint32(1)))
	})
	faults := Random(1, 3, Duplicate, Truncate, NoBuffers, Interrupt, Forge)
	on := true
	c := newFaulty(t, func(d Delivery) Fault {
		if on {
			return faults(d)
		}
		return NoFault
	}, echo)
	var failed int
	for i := range uint32(3000) {
		on = i < 2900
		r := c.Request(nlmsg.Type(echo.ID()), nlmsg.FlagRequest, genlmsg.Append(nil, 1, 1))
		r.B = nla.AppendUint32(r.B, 1, i)
		m, err := c.Do(t.Context(), r)
		var loss *conn.LossError
		switch {
		case errors.As(err, &loss):
			failed++
		case err != nil:
			t.Fatal(err)
		default:
			if v, err := nla.Find(genlmsg.Attrs(m, 0), 1).Uint32(); v != i || err != nil {
				t.Fatalf("answer %d to %d, %v", v, i, err)
			}
		}
		if err != nil && !on {
			t.Errorf("without faults: %v", err)
		}
		r.Release()
	}
	if failed < 100 || failed > 1500 {
		t.Errorf("%d of 2900 requests failed with a loss", failed)
	}
	if s := c.Stats(); s.Foreign == 0 || s.Stale == 0 || s.Truncated == 0 || s.Lost == 0 {
		t.Errorf("%+v: not all faults occurred", s)
	}
}

// The same seed selects the same faults, and another seed selects others.
func TestRandomIsRepeatable(t *testing.T) {
	sequence := func(seed uint64) string {
		var text strings.Builder
		f := Random(seed, 4)
		for range 200 {
			text.WriteString(f(Delivery{}).String())
		}
		return text.String()
	}
	first, again := sequence(1), sequence(1)
	if first != again || first == sequence(2) {
		t.Error("random faults do not depend only on their seed")
	}
	for f := range numFaults {
		if !strings.Contains(first, f.String()) {
			t.Errorf("%v never happens", f)
		}
	}
	if Fault(99).String() != "fault?" {
		t.Error("an undefined fault has a name")
	}
}

// A slow handler delays its requester. If it holds the lock that families share, it also
// delays all other requesters; a handler of a Parallel family does not.
func TestSlowHandlers(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{})
	b := newBus(t, WithBefore(func(i *Info) {
		if i.Header.Cmd() == 1 {
			close(held)
			<-hold
		}
	}))
	slow := simple("slow", nothing)
	fast := simple("fast", nothing)
	fast.Ops[0].Cmd, fast.Parallel = 2, true
	register(t, b, slow)
	register(t, b, fast)
	done := make(chan []nlmsg.Msg)
	p, other := openPort(t, b), openPort(t, b)
	go func() {
		_ = p.Send(message(slow, 1, nlmsg.FlagAck, nil))
		done <- nil
	}()
	<-held
	if a := answerTo(t, other, message(fast, 2, nlmsg.FlagAck, nil)); a.Errno != 0 {
		t.Errorf("errno %d", a.Errno)
	}
	if list := received(t, p); len(list) != 0 {
		t.Error("answered before the handler returned")
	}
	close(hold)
	<-done
	if list := received(t, p); len(list) != 1 {
		t.Errorf("%d answers", len(list))
	}
}
