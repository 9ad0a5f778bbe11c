package bus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// lister makes a family with one dump.
func lister(dump DumpFunc, change ...func(op *Op)) *Family {
	op := Op{Cmd: 1, Policy: anyPolicy, Dump: dump}
	for _, f := range change {
		f(&op)
	}
	return &Family{Name: "lister", Version: 1, Ops: []Op{op}}
}

// count returns a DumpFunc that lists n messages with payloads of size bytes.
func count(n, size int) DumpFunc {
	return func(d *Dump) error {
		for ; d.Args[0] < n; d.Args[0]++ {
			b := d.Begin(nlmsg.FlagMulti, 1)
			if err := d.End(nla.AppendBytes(b, 1, make([]byte, size))); err != nil {
				return err
			}
		}
		return nil
	}
}

// sizes receives a dump with a buffer of the given size. It returns the length of each
// datagram, the number of messages, and the last message.
func sizes(t *testing.T, p *Port, b []byte, buffer int) (lens []int, messages int, end nlmsg.Msg) {
	t.Helper()
	if err := p.Send(b); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, buffer)
	for {
		n, _, err := p.TryReceive(buf)
		if err == socket.ErrEmpty {
			return lens, messages, end
		}
		if err != nil {
			t.Fatal(err)
		}
		lens = append(lens, n)
		for m, err := range nlmsg.All(buf[:n]) {
			if err != nil {
				t.Fatal(err)
			}
			end = m.Clone()
			if m.Type() != nlmsg.TypeDone && m.Type() != nlmsg.TypeError {
				messages++
			}
		}
	}
}

// The first datagram has up to 3776 bytes, later ones up to the length of the receiver's
// buffer, at most 32448. The Done is in the last datagram if 20 bytes are left there.
func TestSizesOfDumps(t *testing.T) {
	for _, tt := range []struct {
		n, size, buffer int
		want            []int
	}{
		{0, 76, 8192, []int{20}},
		{1, 76, 8192, []int{120}},
		{37, 76, 8192, []int{3720}},                       // 3700 bytes and the Done
		{37, 76 + 36, 8192, []int{27 * 136, 10*136 + 20}}, // 3672 bytes: the remaining 104 are too few for a message
		{1, 3776 - 24 - 20, 8192, []int{3776}},            // the Done fits exactly
		{1, 3776 - 24 - 16, 8192, []int{3760, 20}},        // the Done does not fit
		{38, 76, 8192, []int{3700, 120}},                  // 76 bytes are left
		{200, 76, 4096, []int{3700, 4000, 4000, 4000, 4000, 320}},
		{400, 76, 8192, []int{3700, 8100, 8100, 8100, 8100, 3920}},
		{700, 76, 1 << 20, []int{3700, 32400, 32400, 1520}},
		{400, 208 - 24, 1 << 20, []int{18 * 208, 156 * 208, 156 * 208, 70*208 + 20}}, // exactly 32448 bytes
		{3, 5000, 8192, nil},
	} {
		b := newBus(t)
		f := register(t, b, lister(count(tt.n, tt.size)))
		lens, messages, end := sizes(t, openPort(t, b), message(f, 1, nlmsg.FlagDump, nil), tt.buffer)
		if tt.want == nil { // a message too long for any datagram
			if a, err := nlmsg.ParseDone(end); err != nil || a.Errno != errno.EMSGSIZE || messages != 0 {
				t.Errorf("%d of %d: errno %d, %v, %d messages", tt.n, tt.size, a.Errno, err, messages)
			}
			continue
		}
		if !slices.Equal(lens, tt.want) || messages != tt.n || end.Type() != nlmsg.TypeDone {
			t.Errorf("%d messages of %d, buffer %d: datagrams of %v with %d messages, want %v", tt.n, 24+tt.size, tt.buffer, lens, messages, tt.want)
		}
	}
}

// The end of a dump depends on the errors and extended ACKs of its handlers.
func TestEndsOfDumps(t *testing.T) {
	var done int
	isDone := func(op *Op) { op.Done = func(*Dump) { done++ } }
	one := func(d *Dump, then error) error {
		b := d.Begin(nlmsg.FlagMulti, 1)
		if err := d.End(b); err != nil {
			return err
		}
		return then
	}
	tests := []struct {
		name     string
		f        *Family
		flags    nlmsg.Flags
		messages int
		errno    errno.Errno
		msg      string
		typ      nlmsg.Type
		done     int
	}{
		{"at once", lister(count(0, 0), isDone), nlmsg.FlagAck, 0, 0, "", nlmsg.TypeDone, 1},
		{"after one", lister(count(1, 0), isDone), 0, 1, 0, "", nlmsg.TypeDone, 1},
		{"more, thrice", lister(func(d *Dump) error {
			if d.Args[0]++; d.Args[0] > 3 {
				return nil
			}
			return one(d, ErrMore)
		}, isDone), 0, 3, 0, "", nlmsg.TypeDone, 1},
		{"more of nothing", lister(func(*Dump) error { return ErrMore }, isDone), 0, 0, 0, "", nlmsg.TypeDone, 1},
		{"an error", lister(func(d *Dump) error { d.SetMsg("oh"); return errno.ENODEV }, isDone), 0, 0, errno.ENODEV, "oh", nlmsg.TypeDone, 1},
		{"an error after one", lister(func(d *Dump) error { d.SetMsg("oh"); return one(d, errno.ENODEV) }, isDone), 0, 1, errno.ENODEV, "oh", nlmsg.TypeDone, 1},
		{"a warning", lister(func(d *Dump) error { d.SetMsg("hm"); return nil }, isDone), 0, 0, 0, "hm", nlmsg.TypeDone, 1},
		{"no room for one", lister(func(*Dump) error { return errno.EMSGSIZE }, isDone), 0, 0, errno.EMSGSIZE, "", nlmsg.TypeDone, 1},
		{"the start refuses", lister(count(9, 0), isDone, func(op *Op) {
			op.Start = func(d *Dump) error { d.SetAttrMsg(d.Attrs.Get(1), "not that"); return errno.EBUSY }
		}), 0, 0, errno.EBUSY, "not that", nlmsg.TypeError, 0},
		{"the start sets the stage", lister(func(d *Dump) error {
			if d.Ctx != "set" || d.Args[1] != 5 {
				return errno.EIO
			}
			return nil
		}, isDone, func(op *Op) { op.Start = func(d *Dump) error { d.Ctx, d.Args[1] = "set", 5; return nil } }), 0, 0, 0, "", nlmsg.TypeDone, 1},
	}
	for _, tt := range tests {
		done = 0
		b := newBus(t)
		register(t, b, tt.f)
		list := send(t, openPort(t, b, WithFlags(socket.ExtAck)), message(tt.f, 1, nlmsg.FlagDump|tt.flags, nla.AppendUint32(nil, 1, 1)))
		end := list[len(list)-1]
		a, err := nlmsg.ParseDone(end)
		if tt.typ == nlmsg.TypeError {
			a, err = nlmsg.ParseAck(end)
		}
		if err != nil || end.Type() != tt.typ || len(list)-1 != tt.messages || a.Errno != tt.errno || string(a.Msg) != tt.msg || done != tt.done {
			t.Errorf("%s: %d messages, then %v: errno %d, %q, %v; Done called %d times", tt.name, len(list)-1, end, a.Errno, a.Msg, err, done)
		}
		if tt.typ == nlmsg.TypeError && a.Offset != 20 {
			t.Errorf("%s: offset %d", tt.name, a.Offset)
		}
	}
}

// A second dump on the port fails with EBUSY. A do during the dump is answered, and the
// first dump continues.
func TestOneDumpAtATime(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(count(100, 76), func(op *Op) { op.Do = nothing }))
	p, other := openPort(t, b), openPort(t, b)
	dump := message(f, 1, nlmsg.FlagDump, nil)
	for _, m := range [][]byte{dump, dump, message(f, 1, nlmsg.FlagAck, nil)} {
		if err := p.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	for _, m := range received(t, p) {
		switch a, _ := nlmsg.ParseAck(m); m.Type() {
		case nlmsg.TypeError:
			kinds = append(kinds, fmt.Sprint("error ", uint32(a.Errno)))
		case nlmsg.TypeDone:
			kinds = append(kinds, "done")
		}
	}
	if got := strings.Join(kinds, ", "); got != "error 16, error 0, done" {
		t.Errorf("answers %q", got)
	}
	if list := send(t, other, dump); len(list) != 101 {
		t.Errorf("another port: %d messages", len(list))
	}
	if list := send(t, p, dump); len(list) != 101 {
		t.Errorf("again: %d messages", len(list))
	}
}

// If the listed objects change, the later messages and the Done have FlagDumpIntr.
func TestInconsistentDumps(t *testing.T) {
	generations := []uint32{3, 3, 4, 4, 0, 5}
	b := newBus(t)
	f := register(t, b, lister(func(d *Dump) error {
		for ; d.Args[0] < len(generations)-1; d.Args[0]++ {
			d.Generation = generations[d.Args[0]]
			m := d.Begin(nlmsg.FlagMulti, 1)
			if err := d.End(m); err != nil {
				return err
			}
		}
		d.Generation = generations[d.Args[0]]
		d.AnswerFlags = nlmsg.FlagDumpFiltered
		return nil
	}))
	var marked []bool
	list := send(t, openPort(t, b), message(f, 1, nlmsg.FlagDump, nil))
	for _, m := range list {
		marked = append(marked, m.Flags()&nlmsg.FlagDumpIntr != 0)
	}
	// The generation 4 differs from 3, and 0 differs from 4; the message after 0 is not
	// compared.
	if want := []bool{false, false, true, false, true, false}; !slices.Equal(marked, want) {
		t.Errorf("marked %v, want %v", marked, want)
	}
	if end := list[len(list)-1]; end.Flags()&nlmsg.FlagDumpFiltered == 0 {
		t.Errorf("the end is %v", end)
	}
}

// A dump sees the option StrictCheck of its port.
func TestStrictCheck(t *testing.T) {
	b := newBus(t)
	var strict bool
	f := register(t, b, lister(func(d *Dump) error { strict = d.StrictCheck; return nil }))
	for _, want := range []bool{false, true} {
		p := openPort(t, b)
		if err := p.SetFlag(socket.StrictCheck, want); err != nil {
			t.Fatal(err)
		}
		send(t, p, message(f, 1, nlmsg.FlagDump, nil))
		if strict != want {
			t.Errorf("strict %v, want %v", strict, want)
		}
	}
}

// A dump copies its attributes: the sender may change its buffer.
func TestDumpsKeepTheirRequest(t *testing.T) {
	b := newBus(t)
	var values []uint32
	f := register(t, b, lister(func(d *Dump) error {
		values = append(values, d.Attrs.Uint32(1))
		if d.Args[0]++; d.Args[0] == 3 {
			return nil
		}
		m := d.Begin(nlmsg.FlagMulti, 1)
		if err := d.End(m); err != nil {
			return err
		}
		return ErrMore
	}))
	p := openPort(t, b)
	request := message(f, 1, nlmsg.FlagDump, nla.AppendUint32(nil, 1, 77))
	if err := p.Send(request); err != nil {
		t.Fatal(err)
	}
	clear(request)
	received(t, p)
	if !slices.Equal(values, []uint32{77, 77, 77}) {
		t.Errorf("values %v", values)
	}
}

// If 20 to 27 bytes are left, GETPOLICY ends a datagram with a message of headers without
// attributes, as the kernel does.
func TestAnEmptyPolicyMessage(t *testing.T) {
	b := newBus(t)
	p := &policy.Policy{Attrs: make([]policy.Rule, 200)}
	for typ := 1; typ < len(p.Attrs); typ++ {
		p.Attrs[typ].Kind = policy.KindFlag // a message of 48 bytes
	}
	p.Attrs[1] = policy.Range(policy.KindBinary, 1, 2) // a message of 64 bytes
	f := register(t, b, &Family{Name: "f", Ops: []Op{{Cmd: 1, Do: nothing, Policy: p}}})
	byName := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, f.Name)
	// The operation takes 44 bytes, the first rule 64, and 76 rules of 48 bytes leave 20 of
	// 3776.
	empty, others := 0, 0
	for _, m := range send(t, openPort(t, b), message(b.ctrl, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, byName)) {
		switch {
		case m.Type() == nlmsg.TypeDone:
		case len(genlmsg.Attrs(m, 0)) == 0:
			empty++
		default:
			others++
		}
	}
	if empty != 1 || others != 200 {
		t.Errorf("%d messages without attributes, %d with attributes; want 1 and 200 (an operation, 199 rules)", empty, others)
	}
}

// A datagram of a dump fits only if it does not fill the receive buffer completely: the
// kernel rejects the size that fills it (rmem >= rcvbuf in netlink_dump), unless the queue
// is empty.
func TestRoomForADump(t *testing.T) {
	const queued, datagram = smallHead + skBuff, goodSize + sharedInfo + skBuff
	for buffer, want := range map[int]string{
		// The first receive tries to continue the dump while the Error message with ENOBUFS
		// is still queued, and the dump fails again.
		(queued + datagram) / 2:   "error 0 of noop, ENOBUFS, error 105, done",
		(queued+datagram)/2 + 1:   "error 0 of noop, done",
		(queued + datagram*2) / 2: "error 0 of noop, done",
	} {
		b := newBus(t)
		f := register(t, b, lister(count(0, 0)))
		p := openPort(t, b)
		if err := p.SetReceiveBuffer(buffer); err != nil {
			t.Fatal(err)
		}
		for _, m := range [][]byte{noop(), message(f, 1, nlmsg.FlagDump, nil)} {
			if err := p.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		buf := make([]byte, 4096)
		for n, _, err := p.TryReceive(buf); err != socket.ErrEmpty; n, _, err = p.TryReceive(buf) {
			switch m := nlmsg.Msg(buf[:n]); {
			case errors.Is(err, errno.ENOBUFS):
				got = append(got, "ENOBUFS")
			case err != nil:
				t.Fatal(err)
			case m.Type() == nlmsg.TypeDone:
				got = append(got, "done")
			default:
				got = append(got, kinds(t, []nlmsg.Msg{m})...)
			}
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("buffer %d: %s, want %s", 2*buffer, got, want)
		}
	}
}
