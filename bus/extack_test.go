package bus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Every error of a handler reaches the requester as an errno.
func TestErrorsOfHandlers(t *testing.T) {
	tests := []struct {
		err   error
		errno errno.Errno
		msg   string
	}{
		{nil, 0, ""},
		{errno.ENODEV, 19, ""},
		{errno.Errno(133), 133, ""},
		{syscall.Errno(5), 5, ""},
		{fmt.Errorf("no such thing: %w", errno.ENOENT), 2, ""},
		{fmt.Errorf("deep: %w", syscall.Errno(7)), 7, ""},
		{&policy.Error{Errno: errno.ERANGE}, 34, ""},
		{errors.New("it broke"), 5, "it broke"},
		{ErrMore, 5, ErrMore.Error()}, // has no meaning in a do
	}
	var err error
	b := newBus(t)
	f := register(t, b, simple("f", func(*Info) error { return err }))
	p := openPort(t, b, WithFlags(socket.ExtAck))
	for _, tt := range tests {
		err = tt.err
		if a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nil)); a.Errno != tt.errno || string(a.Msg) != tt.msg {
			t.Errorf("%v: errno %d, %q; want %d, %q", tt.err, a.Errno, a.Msg, tt.errno, tt.msg)
		}
	}
	err = errno.EINTR // the kernel takes it for a started dump
	if list := send(t, p, message(f, 1, nlmsg.FlagAck, nil)); len(list) != 0 {
		t.Errorf("EINTR is answered: %v", list)
	}
}

// The setters of all fields of the extended ACK, with every combination of options.
func TestExtAck(t *testing.T) {
	var fill func(i *Info) error
	b := newBus(t)
	f := register(t, b, simple("f", func(i *Info) error { return fill(i) }))
	var attrs []byte
	attrs = nla.AppendUint32(attrs, 1, 5)
	mark := len(attrs)
	attrs = nla.Begin(attrs, 2)
	attrs = nla.End(nla.AppendUint32(attrs, 2, 9), mark)
	nested := func(i *Info) nla.Attr {
		tb := &nla.Table{Slots: make([]uint32, 3)}
		if err := i.ParseNested(tb, i.Attrs.Get(2), inner); err != nil {
			t.Fatal(err)
		}
		return tb.Get(2)
	}
	tests := []struct {
		name  string
		fill  func(i *Info) error
		check func(a nlmsg.ExtAck) bool
	}{
		{"a text", func(i *Info) error { i.SetMsg("why"); return errno.EINVAL },
			func(a nlmsg.ExtAck) bool { return string(a.Msg) == "why" && a.Offset == 0 }},
		{"a warning", func(i *Info) error { i.SetMsg("well"); i.SetAttr(i.Attrs.Get(1)); return nil },
			func(a nlmsg.ExtAck) bool { return string(a.Msg) == "well" && a.Offset == 0 }},
		{"an attribute", func(i *Info) error { i.SetAttr(i.Attrs.Get(1)); return errno.EINVAL },
			func(a nlmsg.ExtAck) bool { return a.Offset != 0 && a.Offset == 20 }},
		{"a nested one", func(i *Info) error { i.SetAttrMsg(nested(i), "that"); return errno.EINVAL },
			func(a nlmsg.ExtAck) bool { return a.Offset == 32 && string(a.Msg) == "that" }},
		{"one from elsewhere", func(i *Info) error { i.SetAttrMsg(nla.Attr(nla.AppendFlag(nil, 3)), "that"); return errno.EINVAL },
			func(a nlmsg.ExtAck) bool { return a.Offset == 0 && string(a.Msg) == "that" }},
		{"none", func(i *Info) error { i.SetAttr(nil); return errno.EINVAL },
			func(a nlmsg.ExtAck) bool { return a.Offset == 0 }},
		{"a missing one", func(i *Info) error { return i.Require(1) },
			func(a nlmsg.ExtAck) bool { return a.Errno == 0 && a.MissType == 0 }},
		{"a missing one in a nest", func(i *Info) error { i.SetMissing(i.Attrs.Get(2), 7); return errno.EINVAL },
			func(a nlmsg.ExtAck) bool {
				return a.MissType == 7 && a.MissNest != 0 && a.MissNest == 28
			}},
		{"a missing one at the top", func(i *Info) error { i.Attrs.Slots[1] = 0; return i.Require(1) },
			func(a nlmsg.ExtAck) bool {
				return a.MissType == 1 && a.Errno == errno.EINVAL && a.MissNest == 0
			}},
		{"a cookie", func(i *Info) error { i.SetCookie([]byte("0123456789")); return nil },
			func(a nlmsg.ExtAck) bool { return string(a.Cookie) == "01234567" }},
		{"a nest that is refused", func(i *Info) error {
			return i.ParseNested(&nla.Table{Slots: make([]uint32, 3)}, i.Attrs.Get(2), &policy.Policy{Attrs: []policy.Rule{2: policy.Min(policy.KindU32, 10)}})
		}, func(a nlmsg.ExtAck) bool {
			return a.Errno == errno.ERANGE && a.Offset == 32 && string(a.Msg) == "integer out of range" && len(a.Policy) > 0
		}},
		{"a nest without its bit", func(i *Info) error { return i.ParseNested(nil, i.Attrs.Get(1), inner) },
			func(a nlmsg.ExtAck) bool { return string(a.Msg) == "NLA_F_NESTED is missing" && a.Offset == 20 }},
	}
	for _, tt := range tests {
		fill = tt.fill
		for _, flags := range [][]socket.Flag{nil, {socket.CapAck}, {socket.ExtAck}, {socket.ExtAck, socket.CapAck}} {
			p := openPort(t, b, WithFlags(flags...))
			a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, attrs))
			if !slices.Contains(flags, socket.ExtAck) {
				if len(a.Msg)+len(a.Cookie) > 0 || a.Offset != 0 || a.MissType != 0 {
					t.Errorf("%s, %v: %+v", tt.name, flags, a)
				}
			} else if !tt.check(a) {
				t.Errorf("%s, %v: %+v", tt.name, flags, a)
			}
			wantLen := 40
			if a.Errno == 0 || slices.Contains(flags, socket.CapAck) {
				wantLen = nlmsg.HeaderLen
			}
			if len(a.Request) != wantLen {
				t.Errorf("%s, %v: %d bytes of the request, want %d", tt.name, flags, len(a.Request), wantLen)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Texts of any length are accepted: they are cut at the limit and at a NUL.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for name, tt := range map[string]struct {
		do   DoFunc
		want string
	}{
		"an error":   {func(*Info) error { return errors.New(long) }, long[:maxText]},
		"a panic":    {func(*Info) error { panic(long) }, ""},
		"a text":     {func(i *Info) error { i.SetMsg(long); return nil }, long[:maxText]},
		"with a NUL": {func(i *Info) error { i.SetMsg("be\x00hind"); return nil }, "be"},
	} {
		b := newBus(t)
		f := simple("f", tt.do)
		f.Ops = append(f.Ops, Op{Cmd: 2, Policy: anyPolicy, Dump: func(d *Dump) error { return tt.do(&d.Info) }})
		register(t, b, f)
		p := openPort(t, b, WithFlags(socket.ExtAck))
		if a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nil)); len(a.Msg) > maxText || tt.want != "" && string(a.Msg) != tt.want {
			t.Errorf("%s: a text of %d bytes", name, len(a.Msg))
		}
		if list := send(t, p, message(f, 2, nlmsg.FlagDump, nil)); len(list) != 1 {
			t.Errorf("%s: a dump of %d messages", name, len(list))
		}
	}
}

// ParseNested and the validator report the same text for a nest without its flag.
func TestTextOfANestWithoutItsFlag(t *testing.T) {
	var report policy.Report
	plain := &policy.Policy{Attrs: []policy.Rule{1: policy.Nest(inner)}}
	policy.ParseReport(nil, nla.AppendUint32(nil, 1, 5), plain, policy.Strict, &report)
	if report.Msg != msgNoNest {
		t.Errorf("policy reports %q, the bus %q", report.Msg, msgNoNest)
	}
}
