package bus

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func newBus(t testing.TB, options ...Option) *Bus {
	t.Helper()
	b := New(options...)
	t.Cleanup(func() { b.Close() })
	return b
}

func register(t testing.TB, b *Bus, f *Family) *Family {
	t.Helper()
	if err := b.Register(f); err != nil {
		t.Fatal(err)
	}
	return f
}

func openPort(t testing.TB, b *Bus, options ...PortOption) *Port {
	t.Helper()
	p, err := b.Open(options...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// message makes a request with the given attributes.
func message(f *Family, cmd uint8, flags nlmsg.Flags, attrs []byte) []byte {
	b := nlmsg.Begin(nil, nlmsg.Type(f.ID()), nlmsg.FlagRequest|flags, 7, 0)
	b = genlmsg.Append(b, cmd, 1)
	b = append(b, make([]byte, nla.Align(f.HdrSize))...)
	return nlmsg.End(append(b, attrs...), 0)
}

// send sends a request and returns all messages that arrive.
func send(t testing.TB, p *Port, b []byte) []nlmsg.Msg {
	t.Helper()
	if err := p.Send(b); err != nil {
		t.Fatal(err)
	}
	return received(t, p)
}

// received returns the queued messages.
func received(t testing.TB, p *Port) (list []nlmsg.Msg) {
	t.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, info, err := p.TryReceive(buf)
		if err == socket.ErrEmpty {
			return list
		}
		if err != nil || info.PortID != 0 || info.Size != n {
			t.Fatalf("%d bytes, %+v, %v", n, info, err)
		}
		for m, err := range nlmsg.All(buf[:n]) {
			if err != nil {
				t.Fatalf("% x: %v", buf[:n], err)
			}
			list = append(list, m.Clone())
		}
	}
}

// answerTo sends a request and returns the extended ACK of the Error message that ends the
// reply.
func answerTo(t testing.TB, p *Port, b []byte) nlmsg.ExtAck {
	t.Helper()
	list := send(t, p, b)
	if len(list) == 0 {
		t.Fatal("no answer")
	}
	a, err := nlmsg.ParseAck(list[len(list)-1])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func isErrno(t testing.TB, err error, want errno.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func setType(m []byte, typ uint16) { binary.NativeEndian.PutUint16(m[4:], typ) }

// length encodes the length field of a message.
func length(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// nothing is a handler without an effect.
func nothing(*Info) error { return nil }

// simple makes a family with one operation.
func simple(name string, do DoFunc) *Family {
	return &Family{Name: name, Version: 1, Ops: []Op{{Cmd: 1, Do: do, Policy: anyPolicy}}}
}

var anyPolicy = &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU32}, 2: {Kind: policy.KindNested, Nested: inner}}}

var inner = &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU32}, 2: policy.Min(policy.KindU32, 1)}}
