package conn

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// opener opens a Conn.
type opener func(protocol socket.Protocol, options ...socket.Option) *Conn

// onKernelInBothForms runs a test with a pool of sockets and with a single one.
func onKernelInBothForms(t *testing.T, f func(t *testing.T, open opener)) {
	t.Helper()
	t.Run("pool", func(t *testing.T) {
		f(t, func(protocol socket.Protocol, options ...socket.Option) *Conn {
			return openConn(t, protocol, options...)
		})
	})
	t.Run("single", func(t *testing.T) {
		f(t, func(protocol socket.Protocol, options ...socket.Option) *Conn {
			return openSingle(t, protocol, options...)
		})
	})
}

func openSingle(tb testing.TB, protocol socket.Protocol, options ...socket.Option) *Conn {
	tb.Helper()
	s, err := socket.Open(protocol, append(options, socket.WithFlags(socket.ExtAck, socket.CapAck))...)
	if err != nil {
		tb.Fatal(err)
	}
	c := New(s)
	tb.Cleanup(func() { c.Close() })
	return c
}

// isAnsweredOrLost checks the result of a request that may have met a full buffer.
func isAnsweredOrLost(t testing.TB, err error) {
	t.Helper()
	var loss *LossError
	if err != nil && !errors.As(err, &loss) {
		t.Error(err)
	}
}

// After the kernel has reported a full buffer, it drops everything until the buffer is
// empty.
func TestRequestOnAFullReceiveBufferEnds(t *testing.T) {
	s, err := socket.Open(socket.Generic, socket.WithReceiveBuffer(1), socket.WithFlags(socket.ExtAck))
	if err != nil {
		t.Fatal(err)
	}
	c := New(s)
	defer c.Close()
	for range 3 {
		other := ctrlRequest(c, nlmsg.FlagAck, genlmsg.CtrlCmdGetFamily)
		other.B = nla.AppendCString(other.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
		if err := other.begin(); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if err := s.Send(other.B); err != nil {
				t.Fatal(err)
			}
		}
		r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
		r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
		_, err = c.Do(patiently(t), r)
		isAnsweredOrLost(t, err)
		r.Release()
		resolve(patiently(t), t, c)
	}
}

func TestRequestsUnderLoadOnASmallReceiveBufferEnd(t *testing.T) {
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		c := open(socket.Generic, socket.WithReceiveBuffer(16<<10))
		var wg sync.WaitGroup
		ctx := patiently(t)
		for id := range 256 {
			wg.Go(func() {
				for range 20 {
					r := ctrlRequest(c, nlmsg.FlagAck*nlmsg.Flags(id%2), genlmsg.CtrlCmdGetFamily)
					r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
					_, err := c.Do(ctx, r)
					isAnsweredOrLost(t, err)
					r.Release()
				}
			})
		}
		wg.Wait()
		resolve(patiently(t), t, c)
	})
}

func TestManyGoroutinesLoseNoReply(t *testing.T) {
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		c := open(socket.Generic)
		var wg sync.WaitGroup
		ctx := patiently(t)
		for range 512 {
			wg.Go(func() {
				for range 5 {
					r := ctrlRequest(c, nlmsg.FlagAck, genlmsg.CtrlCmdGetFamily)
					r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
					m, err := c.Do(ctx, r)
					if id, e := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16(); id != genlmsg.IDCtrl || e != nil || err != nil {
						t.Error(id, e, err)
					}
					r.Release()
				}
			})
		}
		wg.Wait()
		if s := c.Stats(); s != (Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

// linksInGroup adds links of a group, and deleteGroup deletes them. The kernel holds rtnl
// for a long time meanwhile.
func linksInGroup(t *testing.T, c *Conn, group uint32, n int) {
	t.Helper()
	var batch []*Request
	for i := range n {
		r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, ifinfomsg(0, 0, 0))
		r.B = nla.AppendUint32(r.B, unix.IFLA_GROUP, group)
		m := len(r.B)
		b := nla.Begin(r.B, unix.IFLA_LINKINFO)
		r.B = nla.End(nla.AppendCString(b, unix.IFLA_INFO_KIND, "bridge"), m)
		if batch = append(batch, r); len(batch) == 50 || i == n-1 {
			if err := c.Batch(patiently(t), batch...); err != nil {
				t.Fatal(err)
			}
			for _, r := range batch {
				r.Release()
			}
			batch = batch[:0]
		}
	}
}

func deleteGroup(ctx context.Context, c *Conn, group uint32) error {
	r := c.Request(unix.RTM_DELLINK, nlmsg.FlagAck, ifinfomsg(0, 0, 0))
	defer r.Release()
	r.B = nla.AppendUint32(r.B, unix.IFLA_GROUP, group)
	_, err := c.Do(ctx, r)
	return err
}

// A route lookup does not need rtnl. Only the Conn could make it wait for requests that
// hold rtnl or wait for it.
func TestRequestsGetOnWhileOthersWaitForALockOfTheKernel(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	addRoutes(t, c, 1)
	for links := 50; ; links *= 2 {
		longest, held := getRouteWhileLinksAreDeleted(t, c, links)
		if held < 300*time.Millisecond && links < 2000 {
			continue
		}
		if longest > held/2 {
			t.Errorf("a request took %v while others waited for %v", longest, held)
		}
		break
	}
}

// getRouteWhileLinksAreDeleted returns how long the deletion takes, and the duration of the
// longest route lookup meanwhile.
func getRouteWhileLinksAreDeleted(t *testing.T, c *Conn, links int) (longest, held time.Duration) {
	t.Helper()
	const group, waiters = 7, 8
	linksInGroup(t, c, group, links)
	start := time.Now()
	deleted := inBackground(func() error { return deleteGroup(t.Context(), c, group) })
	var wg sync.WaitGroup
	for range waiters {
		wg.Go(func() {
			r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck, ifinfomsg(1, unix.IFF_UP, unix.IFF_UP))
			defer r.Release()
			if _, err := c.Do(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
	defer wg.Wait()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		r := c.Request(unix.RTM_GETROUTE, 0, rtmsg(32))
		r.B = nla.AppendBE32(r.B, unix.RTA_DST, 10<<24)
		begin := time.Now()
		if _, err := c.Do(ctx, r); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		longest = max(longest, time.Since(begin))
		r.Release()
		cancel()
		select {
		case err := <-deleted:
			if err != nil {
				t.Error(err)
			}
			return longest, time.Since(start)
		default:
		}
	}
}

// peerTransport is a client of a peer between processes. Any process can flood it.
type peerTransport struct {
	*socket.Socket
	to uint32
}

func (p peerTransport) Send(b []byte) error {
	return p.SendTo(b, socket.Addr{PortID: p.to})
}

func TestDeadlinesAreKeptWhileOtherProcessesFloodThePort(t *testing.T) {
	server, err := socket.Open(socket.UserSock)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, options := range [][]Option{{WithLateReplies()}, {WithLateReplies(), WithAnySender()}} {
		s, err := socket.Open(socket.UserSock)
		if err != nil {
			t.Fatal(err)
		}
		c := New(peerTransport{s, server.PortID()}, options...)
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 3 {
			f, err := socket.Open(socket.UserSock)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { floodPort(f, s.PortID(), stop) })
		}
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			_, err = asking(ctx, c, 0, "")
			isError(t, err, context.DeadlineExceeded)
			_, err = listing(ctx, c, "")
			isError(t, err, context.DeadlineExceeded)
			cancel()
			r := c.Request(fakeType, 0, nil)
			r.Deadline = time.Now().Add(5 * time.Millisecond)
			_, err = c.Do(t.Context(), r)
			isError(t, err, os.ErrDeadlineExceeded)
			r.Release()
		}
		close(stop)
		c.Close()
		wg.Wait()
	}
}

// floodPort sends messages to a port until it is stopped or the port is closed.
func floodPort(s *socket.Socket, portID uint32, stop <-chan struct{}) {
	defer s.Close()
	b := nlmsg.End(nlmsg.Begin(nil, fakeType, nlmsg.FlagMulti, 1, portID), 0)
	for {
		select {
		case <-stop:
			return
		default:
			if s.SendTo(b, socket.Addr{PortID: portID}) != nil {
				return
			}
		}
	}
}

// addressRequest adds an address to lo.
func addressRequest(c *Conn, flags nlmsg.Flags, last byte) *Request {
	r := c.Request(unix.RTM_NEWADDR, flags|nlmsg.FlagCreate, []byte{unix.AF_INET, 32, 0, 0, 1, 0, 0, 0})
	r.B = nla.AppendBytes(r.B, unix.IFA_LOCAL, []byte{10, 9, 8, last})
	return r
}

func TestChangeWithoutAckEnds(t *testing.T) {
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		c := open(socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
		for _, request := range []*Request{
			addressRequest(c, nlmsg.FlagRequest, 1),
			addressRequest(c, 0, 2),
			c.Request(unix.RTM_SETLINK, nlmsg.FlagRequest, ifinfomsg(1, unix.IFF_UP, unix.IFF_UP)),
		} {
			if m, err := c.Do(patiently(t), request); m != nil || err != nil {
				t.Error(m, err)
			}
			request.Release()
		}
		again := addressRequest(c, nlmsg.FlagExcl, 1)
		defer again.Release()
		_, err := c.Do(patiently(t), again)
		isError(t, err, unix.EEXIST)
		n := 0
		list := c.Request(unix.RTM_GETADDR, 0, make([]byte, unix.SizeofIfAddrmsg))
		defer list.Release()
		for m, err := range c.Dump(patiently(t), list) {
			if err != nil {
				t.Fatal(err)
			}
			if a, err := nla.Find(m.Attrs(unix.SizeofIfAddrmsg), unix.IFA_LOCAL).BE32(); err == nil && a>>8 == 10<<16|9<<8|8 {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d addresses", n)
		}
	})
}

// familyOf resolves a family, and skips the test if the kernel does not have it.
func familyOf(t *testing.T, c *Conn, name string) nlmsg.Type {
	t.Helper()
	r := c.Request(genlmsg.IDCtrl, 0, genlmsg.Append(nil, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)) // without FlagRequest
	defer r.Release()
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
	m, err := c.Do(patiently(t), r)
	if errors.Is(err, unix.ENOENT) {
		t.Skipf("this kernel has no family %s", name)
	}
	id, e := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
	if err != nil || e != nil {
		t.Fatal(err, e)
	}
	return nlmsg.Type(id)
}

func TestListOfThermalZonesIsDelivered(t *testing.T) {
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		c := open(socket.Generic)
		const getZones = 1 // THERMAL_GENL_CMD_TZ_GET_ID
		r := c.Request(familyOf(t, c, "thermal"), 0, genlmsg.Append(nil, getZones, 1))
		defer r.Release()
		n := 0
		for m, err := range c.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
			if h, _ := genlmsg.Consume(m.Payload()); m.Type() != r.msg().Type() || h.Cmd() != getZones {
				t.Errorf("%v", m)
			}
			n++
		}
		if s := c.Stats(); n != 1 || s != (Stats{}) {
			t.Errorf("%d messages, %+v", n, s)
		}
	})
}

// nftables answers a dump of its generation like a request without FlagDump.
func TestDumpOfTheGenerationOfNftablesEnds(t *testing.T) {
	onKernelInBothForms(t, func(t *testing.T, open opener) {
		c := open(socket.Netfilter, socket.WithNetNS(kerneltest.NewNetNS(t)))
		const getGen = 10<<8 | 16 // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
		r := c.Request(getGen, 0, make([]byte, 4))
		defer r.Release()
		n := 0
		for _, err := range c.Dump(patiently(t), r) {
			if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
				t.Skip("this kernel has no nftables: ", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}
