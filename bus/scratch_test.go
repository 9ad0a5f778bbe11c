package bus

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A validation that reports only a text keeps the policy of an earlier report
// (NL_SET_ERR_MSG), and its bytes.
func TestSecondValidationKeepsThePolicyOfTheFirst(t *testing.T) {
	nests := &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindNested}, 2: {Kind: policy.KindNested}}}
	b := newBus(t)
	f := register(t, b, &Family{Name: "f", Version: 1, Ops: []Op{{Cmd: 1, Policy: nests, Do: func(i *Info) error {
		_ = i.ParseNested(nil, i.Attrs.Get(1), inner)
		return i.ParseNested(nil, i.Attrs.Get(2), inner)
	}}}})
	p := openPort(t, b, WithFlags(socket.ExtAck))
	attrs := nla.End(nla.AppendUint32(nla.Begin(nil, 1), 2, 0), 0) // out of range
	mark := len(attrs)
	attrs = append(nla.AppendUint32(nla.Begin(attrs, 2), 1, 0), 0, 0, 0, 0) // with bytes left over
	a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nla.End(attrs, mark)))
	if want := policywire.AppendRule(nil, &inner.Attrs[2]); !bytes.Equal(a.Policy, want) || !strings.Contains(string(a.Msg), "leftover") {
		t.Errorf("%q, policy % x, want % x", a.Msg, a.Policy, want)
	}
}

// Dumps that are rejected concurrently on one port each report their own text.
func TestRefusedDumpsKeepTheirTexts(t *testing.T) {
	text := func(v uint32) string { return strings.Repeat(string(rune('a'+v)), 100+int(v)) }
	b := newBus(t)
	f := register(t, b, &Family{Name: "f", Version: 1, Parallel: true, Ops: []Op{{
		Cmd: 1, Policy: anyPolicy, Dump: func(*Dump) error { return nil },
		Start: func(d *Dump) error {
			d.SetMsg(text(d.Attrs.Uint32(1)))
			d.SetCookie([]byte{byte(d.Attrs.Uint32(1))})
			return errno.EINVAL
		},
	}}})
	p := openPort(t, b, WithFlags(socket.ExtAck))
	if err := p.SetReceiveBuffer(64 << 20); err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for v := range uint32(4) {
		senders.Go(func() {
			for range 500 {
				if err := p.Send(message(f, 1, nlmsg.FlagDump, nla.AppendUint32(nil, 1, v))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	answers := received(t, p)
	for _, m := range answers {
		a, err := nlmsg.ParseAck(m)
		v, _ := nla.Find(a.Request[nlmsg.HeaderLen+4:], 1).Uint32()
		if err != nil || a.Errno != errno.EBUSY && (string(a.Msg) != text(v) || !bytes.Equal(a.Cookie, []byte{byte(v)})) {
			t.Fatalf("request %d: %v, %q, % x, %v", v, a.Errno, a.Msg, a.Cookie, err)
		}
	}
	if len(answers) != 4*500 {
		t.Errorf("%d answers", len(answers))
	}
}

// A text that begins with a NUL replaces an earlier text with none.
func TestTextThatBeginsWithNUL(t *testing.T) {
	text := "\x00x"
	b := newBus(t)
	f := register(t, b, simple("f", func(i *Info) error { i.SetMsg(text); return errno.EINVAL }))
	p := openPort(t, b, WithFlags(socket.ExtAck))
	for _, text = range []string{"\x00x", "long", "\x00x"} {
		if a := answerTo(t, p, message(f, 1, 0, nil)); (a.Msg != nil) != (text == "long") {
			t.Errorf("text %q: %q", text, a.Msg)
		}
	}
}

// The bus does not write into a buffer that a handler passes to Reply.
func TestBufferOfAHandlerIsNotKept(t *testing.T) {
	template := nlmsg.End(append(nlmsg.Begin(nil, 99, 0, 1, 1), strings.Repeat("template", 100)...), 0)
	before := bytes.Clone(template)
	isFirst := true
	b := newBus(t)
	f := register(t, b, simple("f", func(i *Info) error {
		m := i.Begin(1)
		if isFirst {
			isFirst = false
			return i.Reply(template)
		}
		return i.Reply(nla.AppendUint32(m, 1, 0xffffffff))
	}))
	p := openPort(t, b)
	for range 3 {
		send(t, p, message(f, 1, nlmsg.FlagAck, nil))
	}
	if !bytes.Equal(template, before) {
		t.Errorf("%q", template)
	}
}
