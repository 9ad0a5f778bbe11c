package conn

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Attributes and requests for alternative names, from linux/rtnetlink.h and if_link.h.
const (
	rtmNewLinkProp = 108
	iflaPropList   = 52
	iflaAltIfname  = 53
)

// longLink gives lo of a namespace as many alternative names as the kernel allows, so that
// each message about it exceeds 64 KiB.
func longLink(t *testing.T, netNS int) {
	t.Helper()
	c := openConn(t, socket.Route, socket.WithNetNS(netNS))
	defer c.Close()
	for first := 0; first < 495; first += 99 {
		r := c.Request(rtmNewLinkProp, nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, ifinfomsg(1, 0, 0))
		m := len(r.B)
		b := nla.Begin(r.B, iflaPropList)
		for i := range 99 {
			b = nla.AppendCString(b, iflaAltIfname, fmt.Sprintf("%s%03d", strings.Repeat("x", 124), first+i))
		}
		r.B = nla.End(b, m)
		if _, err := c.Do(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		r.Release()
	}
}

func getLink(c *Conn, flags nlmsg.Flags) *Request {
	return c.Request(unix.RTM_GETLINK, flags, ifinfomsg(1, 0, 0))
}

// isLong checks that a message about the link is complete.
func isLong(t testing.TB, m nlmsg.Msg) {
	t.Helper()
	list := nla.Find(m.Attrs(unix.SizeofIfInfomsg), iflaPropList)
	if n := bytes.Count(list, []byte(strings.Repeat("x", 124))); len(m) < 65<<10 || n != 495 {
		t.Errorf("%d bytes, %d names", len(m), n)
	}
}

// Each subtest is the first exchange of its Conn.
func TestMessageOver64KiBIsReceivedWholeAtTheFirstAttempt(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	longLink(t, netNS)
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		fresh := func() *Conn { return open(socket.Route, socket.WithNetNS(netNS)) }
		t.Run("Do", func(t *testing.T) {
			for _, flags := range []nlmsg.Flags{0, nlmsg.FlagAck} {
				c := fresh()
				r := getLink(c, flags)
				defer r.Release()
				m, err := c.Do(patiently(t), r)
				if err != nil {
					t.Fatal(err)
				}
				isLong(t, m)
			}
		})
		t.Run("Dump", func(t *testing.T) {
			c := fresh()
			r := c.Request(unix.RTM_GETLINK, 0, ifinfomsg(0, 0, 0))
			r.B = nla.AppendUint32(r.B, unix.IFLA_EXT_MASK, 1)
			defer r.Release()
			n := 0
			for m, err := range c.Dump(patiently(t), r) {
				if err != nil {
					t.Fatal(err)
				}
				isLong(t, m)
				n++
			}
			if n != 1 {
				t.Errorf("%d links", n)
			}
		})
		for _, n := range []int{2, 16, 17, 20} {
			t.Run(fmt.Sprintf("Batch of %d", n), func(t *testing.T) {
				c := fresh()
				var batch []*Request
				for range n {
					batch = append(batch, getLink(c, nlmsg.FlagAck))
				}
				if err := c.Batch(patiently(t), batch...); err != nil {
					t.Fatal(err)
				}
				for _, r := range batch {
					isLong(t, r.Reply())
					r.Release()
				}
			})
		}
	})
}

func TestNotificationOver64KiBIsReceivedWholeAtTheFirstAttempt(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	longLink(t, netNS)
	c := openConn(t, socket.Route, socket.WithNetNS(netNS))
	s, err := c.Subscribe(unix.RTNLGRP_LINK)
	if err != nil {
		t.Fatal(err)
	}
	up := c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck, ifinfomsg(1, unix.IFF_UP, unix.IFF_UP))
	defer up.Release()
	if _, err := c.Do(patiently(t), up); err != nil {
		t.Fatal(err)
	}
	for m, err := range s.All(patiently(t)) {
		if err != nil {
			t.Fatal(err)
		}
		isLong(t, m)
		break
	}
}

// stiff is a socket whose buffers do not grow.
type stiff struct {
	Transport
	most, sent, largest int
}

func (s *stiff) SetSendBuffer(int) error { return nil }

func (s *stiff) SetReceiveBuffer(int) error { return nil }

func (s *stiff) ReceiveBuffer() (int, error) { return s.most, nil }

func (s *stiff) Send(b []byte) error {
	err := s.Transport.Send(b)
	if err == nil {
		s.sent++
		s.largest = max(s.largest, len(b))
	}
	return err
}

// aliases makes a batch of changes that exceeds the size of a send buffer.
func aliases(c *Conn, n int) (batch []*Request) {
	for i := range n {
		r := c.Request(unix.RTM_SETLINK, nlmsg.FlagAck, ifinfomsg(1, 0, 0))
		r.B = nla.AppendBytes(r.B, unix.IFLA_IFALIAS, fmt.Appendf(nil, "%0255d", i))
		batch = append(batch, r)
	}
	return batch
}

func TestThousandRequestsAreOneBatch(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	check := func(t *testing.T, c *Conn) {
		t.Helper()
		batch := aliases(c, 1000)
		if err := c.Batch(patiently(t), batch...); err != nil {
			t.Fatal(err)
		}
		for _, r := range batch {
			r.Release()
		}
		r := getLink(c, 0)
		defer r.Release()
		m, err := c.Do(patiently(t), r)
		alias, e := nla.Find(m.Attrs(unix.SizeofIfInfomsg), unix.IFLA_IFALIAS).CString()
		if !strings.HasSuffix(string(alias), "0999") || err != nil {
			t.Errorf("alias %q, %v, %v", alias, e, err)
		}
	}
	onKernelInBothForms(t, func(t *testing.T, open opener) { check(t, open(socket.Route, socket.WithNetNS(netNS))) })
	for _, buffer := range []int{2304, 20_000, 212_992} {
		t.Run(fmt.Sprintf("buffers of %d", buffer), func(t *testing.T) {
			s, err := socket.Open(socket.Route, socket.WithNetNS(netNS), socket.WithReceiveBuffer(buffer/2), socket.WithSendBuffer(max(buffer/2, 4<<10)), socket.WithFlags(socket.CapAck))
			if err != nil {
				t.Fatal(err)
			}
			stiff := &stiff{Transport: s, most: buffer}
			c := New(stiff)
			defer c.Close()
			check(t, c)
			if stiff.sent < 3 {
				t.Errorf("%d datagrams, the largest of %d bytes", stiff.sent, stiff.largest)
			}
		})
	}
}

// The kernel ignores a request that is shorter than a fixed header, and acknowledges it if
// it has FlagAck.
func TestRequestWithoutItsFixedHeaderEndsOnTheKernel(t *testing.T) {
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		netNS := kerneltest.NewNetNS(t)
		for protocol, typ := range map[socket.Protocol]nlmsg.Type{socket.Route: unix.RTM_GETLINK, socket.Netfilter: 1<<8 | 1} {
			c := open(protocol, socket.WithNetNS(netNS))
			for _, flags := range []nlmsg.Flags{0, nlmsg.FlagAck} {
				r := c.Request(typ, flags, nil)
				if m, err := c.Do(patiently(t), r); m != nil || err != nil {
					t.Error(protocol, flags, m, err)
				}
				if err := c.Batch(patiently(t), r); err != nil {
					t.Error(protocol, flags, err)
				}
				for m, err := range c.Dump(patiently(t), r) {
					if flags == 0 && !errors.Is(err, ErrUnanswered) || m != nil {
						t.Error(protocol, flags, m, err)
					}
				}
				r.Release()
			}
		}
	})
}

// The rest of a list of routes is read into memory, or remains queued if it exceeds the
// limit.
func TestRequestsInTheBodyOfADumpOfTheKernelGetOn(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	const routes = 5000
	addRoutes(t, openConn(t, socket.Route, socket.WithNetNS(netNS)), routes)
	for _, queue := range []int{DefaultQueue, 50_000} {
		s, err := socket.Open(socket.Route, socket.WithNetNS(netNS), socket.WithFlags(socket.ExtAck))
		if err != nil {
			t.Fatal(err)
		}
		c := New(s, WithQueue(queue))
		r := c.Request(unix.RTM_GETROUTE, 0, rtmsg())
		n, busy := 0, 0
		for m, err := range c.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Type() == unix.RTM_NEWROUTE {
				n++
			}
			if n%1000 == 1 {
				get := getLink(c, nlmsg.FlagAck)
				switch _, err := c.Do(patiently(t), get); {
				case errors.Is(err, ErrBusy):
					busy++
				case err != nil:
					t.Fatal(err)
				}
				get.Release()
			}
		}
		if n < routes || (busy == 0) != (queue == DefaultQueue) {
			t.Errorf("queue of %d bytes: %d routes, busy %d times", queue, n, busy)
		}
		if n := countRoutes(t, c); n < routes {
			t.Errorf("%d routes", n)
		}
		r.Release()
		c.Close()
	}
}
