package conn

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func TestOffsetsOfAnExtendedAckAreTurnedIntoPaths(t *testing.T) {
	names := map[string]string{"[3]": "options", "[3 2]": "mode", "[3 9]": "limit"}
	name := func(path []uint16) string { return names[fmt.Sprint(path)] }
	build := func(c *Conn) *Request {
		r := c.Request(fakeType, nlmsg.FlagRequest|nlmsg.FlagAck, []byte{1, 1, 0, 0, 9}) // 5 bytes: padding follows before the attributes
		r.Name, r.Op = name, "set things"
		r.B = nla.AppendUint8(r.B, 1, 7)
		n := len(r.B)
		b := nla.Begin(r.B, 3)
		b = nla.AppendUint16(b, 1, 5)
		b = nla.AppendUint32(b, 2, 5)
		r.B = nla.End(b, n)
		return r
	}
	tests := []struct {
		name   string
		offset uint32
		want   []uint16
		text   string
	}{
		{"top level", 24, []uint16{1}, "attribute 1"},
		{"a nest", 32, []uint16{3}, "attribute 3 (options)"},
		{"inside", 44, []uint16{3, 2}, "attribute 3/2 (mode): it must be u32 of 1..10"},
		{"in the header", 16, nil, "at offset 16"},
		{"in the middle of one", 26, nil, "at offset 26"},
		{"after the end", 400, nil, "at offset 400"},
		{"the largest", 1<<32 - 1, nil, "at offset 4294967295"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
				ext := nlmsg.ExtAck{Offset: tt.offset, Cookie: []byte{1, 2}, MissType: 9, MissNest: 32, Msg: []byte("wrong")}
				rule := policy.Range(policy.KindU32, 1, 10)
				ext.Policy = policywire.AppendRule(nil, &rule)
				// AppendAck, like the kernel, omits offsets outside the request. A hostile
				// peer may send them.
				long := append(reqs[0].Clone(), make([]byte, 400)...)
				ext.Errno, ext.Request = errno.EINVAL, long
				b := nlmsg.AppendAck(nil, &ext, nlmsg.AckOptions{PortID: fakePort, Cap: true, Ext: true})
				return events(b)
			})
			r := build(c)
			_, err := c.Do(t.Context(), r)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, errno.EINVAL) {
				t.Fatalf("error %v", err)
			}
			if e.Offset != 0 && cmp.Diff(tt.want, e.Path) != "" || e.Offset != 0 && !strings.Contains(e.Error(), tt.text) {
				t.Errorf("path %v of %v, want %v", e.Path, e, tt.want)
			}
			if e.Offset == 0 && tt.offset < 400 {
				t.Errorf("no attribute in %+v", e)
			}
			if e.MissType != 9 || cmp.Diff([]uint16{3}, e.MissPath) != "" || e.MissName != "limit" {
				t.Errorf("missing: %+v", e)
			}
			if string(e.Cookie) != "\x01\x02" || e.Rule == nil || e.Rule.Max != 10 || string(e.Msg) != "wrong" {
				t.Errorf("cookie % x, policy %+v, text %q", e.Cookie, e.Policy, e.Msg)
			}
			if text := e.Error(); !strings.HasPrefix(text, "conn: set things: invalid argument: wrong") || !strings.Contains(text, "attribute 3/9 is missing (limit)") {
				t.Errorf("text %q", text)
			}
		})
	}
}

func TestRepliesOfPeersAreAcceptedOnlyWithAnySender(t *testing.T) {
	answers := func(_ *fake, reqs []nlmsg.Msg) []event {
		return []event{{b: message(reqs[0], 0, "a"), info: socket.Info{PortID: 12}}}
	}
	c, _ := newFakeConn(t, answers, WithAnySender())
	if got, err := ask(t, c, 0, ""); got != "a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c, _ = newFakeConn(t, answers)
	if got, err := ask(t, c, 0, ""); got != "" || err != nil || c.Stats() != (Stats{Foreign: 1}) {
		t.Errorf("%q, %v, %+v", got, err, c.Stats())
	}
}

func TestMalformedExtendedAckHidesNoErrnoAndIsNoSuccess(t *testing.T) {
	for _, code := range []errno.Errno{0, errno.EACCES} {
		c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
			b := answer(reqs[0], code, "a text")
			b[36] = 3 // length of the first attribute
			return events(b)
		})
		_, err := ask(t, c, nlmsg.FlagAck, "")
		if code != 0 {
			isError(t, err, errno.EACCES)
		} else if err == nil || !strings.Contains(err.Error(), "request of type 0x20") {
			t.Errorf("error %v", err)
		}
	}
	c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		b := nlmsg.Begin(nil, nlmsg.TypeError, 0, reqs[0].Seq(), fakePort)
		return events(nlmsg.End(append(b, 0, 0), 0))
	})
	_, err := ask(t, c, nlmsg.FlagAck, "")
	isError(t, err, nlmsg.ErrTruncated)
}

func TestErrorsAreOneLine(t *testing.T) {
	rule := func(r policy.Rule) *policy.Rule { return &r }
	ack := func(e errno.Errno, text string) nlmsg.ExtAck { return nlmsg.ExtAck{Errno: e, Msg: []byte(text)} }
	invalid := ack(errno.EINVAL, "")
	at, missing := invalid, invalid
	at.Offset, missing.MissType = 20, 4
	tests := []struct {
		err  error
		want string
	}{
		{&Error{Op: "do it", ExtAck: ack(errno.ENOENT, "")}, "conn: do it: no such file or directory"},
		{&Error{Op: "do it", ExtAck: ack(errno.EPERM, "")}, "conn: do it: operation not permitted: a capability is required, usually CAP_NET_ADMIN"},
		{&Error{Op: "do it", ExtAck: ack(errno.EBUSY, "the device is busy")}, "conn: do it: device or resource busy: the device is busy"},
		{&Error{Op: "do it", ExtAck: ack(0, "obsolete")}, "conn: do it: obsolete"},
		{&Error{Op: "do it", ExtAck: at, Path: []uint16{1, 2}, Rule: rule(policy.Min(policy.KindS8, -3))},
			"conn: do it: invalid argument: attribute 1/2: it must be s8 of -3.."},
		{&Error{Op: "do it", ExtAck: invalid, Rule: rule(policy.Max(policy.KindU8, 3))}, "conn: do it: invalid argument: it must be u8 of ..3"},
		{&Error{Op: "do it", ExtAck: invalid, Rule: rule(policy.Mask(policy.KindU8, 5))}, "conn: do it: invalid argument: it must be u8 with bits of 0x5"},
		{&Error{Op: "do it", ExtAck: invalid, Rule: rule(policy.Mask(policy.KindBitfield32, 5))}, "conn: do it: invalid argument: it must be bitfield32 with bits of 0x5"},
		{&Error{Op: "do it", ExtAck: invalid, Rule: &policy.Rule{Kind: policy.KindString, Len: 15}}, "conn: do it: invalid argument: it must be string of at most 15 bytes"},
		{&Error{Op: "do it", ExtAck: missing}, "conn: do it: invalid argument: attribute 4 is missing"},
		{&LossError{Op: "do it", Err: ErrOverrun}, "conn: do it: lost: the kernel reports an overrun: data was lost"},
		{&LossError{Op: "do it", Err: errno.ENOBUFS}, "conn: do it: lost: no buffer space available: the receive buffer was full; the outcome is unknown"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
