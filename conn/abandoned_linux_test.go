package conn

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// After a dump on a subscription was left early, All delivers the notifications that are
// queued among its replies, and none of the replies.
func TestNotificationsOutliveAnAbandonedDump(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	addRoutes(t, c, 2000)
	s, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	list := s.Request(unix.RTM_GETROUTE, 0, rtmsg())
	defer list.Release()
	for range 2 {
		const events = 5
		for range s.Dump(patiently(t), list) {
			break
		}
		for i := range events {
			for _, typ := range []nlmsg.Type{unix.RTM_NEWROUTE, unix.RTM_DELROUTE} {
				r := routeRequest(c, nlmsg.FlagAck|nlmsg.FlagCreate, 5000+i)
				if typ == unix.RTM_DELROUTE {
					r.msg().SetFlags(nlmsg.FlagAck)
				}
				binary.NativeEndian.PutUint16(r.B[4:], uint16(typ))
				if _, err := c.Do(patiently(t), r); err != nil {
					t.Fatal(err)
				}
				r.Release()
			}
		}
		link := s.Request(unix.RTM_GETLINK, 0, ifinfomsg(1, 0, 0))
		if _, err := s.Do(patiently(t), link); err != nil {
			t.Fatal(err)
		}
		link.Release()
		n := 0
		for m, err := range s.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Flags()&nlmsg.FlagMulti != 0 {
				t.Fatalf("a reply of the dump: %v", m.Type())
			}
			if n++; n == 2*events {
				break
			}
		}
	}
	n := 0
	for _, err := range s.Dump(patiently(t), list) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n < 2000 {
		t.Errorf("%d routes", n)
	}
}

// A loop that is left in the middle of a datagram leaves the rest of it to the next loop.
func TestRestOfADatagramIsForTheNextLoop(t *testing.T) {
	_, sub, g := subscribeGroups(t)
	g.put(event{b: join(groupMessage("a..."), groupMessage("b..."), groupMessage("c..."))})
	var got []string
	for range 3 {
		for m, err := range sub.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, text(m))
			break
		}
	}
	if want := []string{"a...", "b...", "c..."}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A loss that another exchange met while it read the rest of a dump is reported by the
// dump, even if that exchange gave up.
func TestLossMetWhileReadingTheRestIsReported(t *testing.T) {
	c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		r := reqs[0]
		if r.Flags()&nlmsg.FlagDump != nlmsg.FlagDump {
			return events(answer(r, 0, ""))
		}
		list := append(events(message(r, multi, "first")), event{err: syscall.ENOBUFS})
		for range 5 {
			list = append(list, event{b: message(r, multi, string(make([]byte, 100)))})
		}
		return list // the end is missing
	}, WithQueue(150))
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	n := 0
	var last error
	for _, err := range c.Dump(patiently(t), r) {
		if last = err; err != nil {
			break
		}
		if n++; n == 1 {
			_, err := ask(t, c, nlmsg.FlagAck, "")
			isError(t, err, ErrBusy)
		}
	}
	var loss *LossError
	if !errors.As(last, &loss) || !errors.Is(last, syscall.ENOBUFS) {
		t.Errorf("%d messages, then %v", n, last)
	}
}

// The first Transport is not used again after Close, in any state.
func TestClosedConnHasNoSpare(t *testing.T) {
	reply := func(_ *fake, reqs []nlmsg.Msg) []event {
		return events(message(reqs[0], multi, "a"), message(reqs[0], multi, "b"))
	}
	c, _ := newFakeConn(t, reply, WithDialer(func() (Transport, error) { return nil, syscall.EMFILE }))
	r := c.Request(fakeType, 0, nil)
	for range 2 {
		for range c.Dump(patiently(t), r) {
			break
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := c.Do(patiently(t), r)
	isError(t, err, ErrClosed)
}
