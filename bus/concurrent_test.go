package bus

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Concurrent requests, dumps, events, registrations and unregistrations of families, and
// ports that are closed during their work.
func TestStorm(t *testing.T) {
	b := newBus(t)
	stays := simple("stays", func(i *Info) error {
		m := i.Begin(1)
		if err := i.Reply(nla.AppendUint32(m, 1, i.Attrs.Uint32(1))); err != nil {
			return err
		}
		if i.Family.HasListeners(0) {
			_ = i.Multicast(0, i.Begin(1)) // a full queue is not a failure
		}
		return nil
	})
	stays.Groups = []Group{{Name: "g"}}
	stays.Ops = append(stays.Ops, Op{Cmd: 2, Policy: anyPolicy, Dump: count(200, 76)})
	register(t, b, stays)
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	var wg sync.WaitGroup
	work := func(f func(round int)) {
		wg.Go(func() {
			for round := range rounds {
				f(round)
			}
		})
	}
	for range 3 {
		c := conn.New(openPort(t, b, WithFlags(socket.ExtAck)), conn.WithDialer(func() (conn.Transport, error) { return b.Open() }))
		t.Cleanup(func() { c.Close() })
		work(func(round int) {
			r := c.Request(nlmsg.Type(stays.ID()), nlmsg.FlagRequest|nlmsg.FlagAck, genlmsg.Append(nil, 1, 1))
			defer r.Release()
			r.B = nla.AppendUint32(r.B, 1, uint32(round))
			m, err := c.Do(t.Context(), r)
			if v, _ := nla.Find(genlmsg.Attrs(m, 0), 1).Uint32(); v != uint32(round) || err != nil {
				t.Errorf("answer %d to %d, %v", v, round, err)
			}
		})
		work(func(int) {
			r := c.Request(nlmsg.Type(stays.ID()), 0, genlmsg.Append(nil, 2, 1))
			defer r.Release()
			n := 0
			for _, err := range c.Dump(t.Context(), r) {
				if err != nil {
					t.Error(err)
				}
				n++
			}
			if n != 200 {
				t.Errorf("%d messages", n)
			}
		})
	}
	work(func(round int) {
		f := &Family{Name: fmt.Sprint("f", round%5), Groups: []Group{{Name: "g"}}, Ops: []Op{{Cmd: 1, Do: nothing, Policy: anyPolicy}}}
		if err := b.Register(f); err != nil {
			t.Error(err)
		}
		if err := b.Unregister(f); err != nil {
			t.Error(err)
		}
	})
	work(func(round int) { // a port that is closed during a dump
		p, err := b.Open()
		if err != nil {
			t.Error(err)
			return
		}
		_ = p.Join(stays.GroupID(0))
		_ = p.Join(genlmsg.IDCtrl)
		_ = p.Send(message(stays, 2, nlmsg.FlagDump, nil))
		var inner sync.WaitGroup
		inner.Go(func() {
			for buf := make([]byte, 4096); ; {
				if _, _, err := p.Receive(buf); errors.Is(err, os.ErrClosed) {
					return
				} else if err != nil && !errors.Is(err, errno.ENOBUFS) && err != socket.ErrTruncated {
					t.Error(err)
				}
			}
		})
		runtime.Gosched()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		inner.Wait()
	})
	wg.Wait()
}

// Unregister waits for running handlers, and no handler runs after it.
func TestUnregisterWaits(t *testing.T) {
	b := newBus(t)
	var running, gone atomic.Bool
	entered, leave := make(chan struct{}), make(chan struct{})
	f := register(t, b, simple("f", func(*Info) error {
		if gone.Load() {
			t.Error("a handler runs after Unregister")
		}
		running.Store(true)
		entered <- struct{}{}
		<-leave
		running.Store(false)
		return nil
	}))
	p := openPort(t, b)
	go func() { _ = p.Send(message(f, 1, 0, nil)) }()
	<-entered
	done := make(chan struct{})
	go func() {
		if err := b.Unregister(f); err != nil {
			t.Error(err)
		}
		gone.Store(true)
		if running.Load() {
			t.Error("Unregister returned while a handler ran")
		}
		close(done)
	}()
	close(leave)
	<-done
	if a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nil)); a.Errno != errno.ENOENT && a.Errno != 0 {
		t.Errorf("errno %d", a.Errno)
	}
}

// A thousand families and ten thousand ports that are opened and closed leave no memory,
// ports or memberships.
func TestNothingIsLeft(t *testing.T) {
	b := newBus(t)
	f := register(t, b, simple("f", nothing))
	round := func() {
		for range 200 {
			p, err := b.Open()
			if err != nil {
				t.Fatal(err)
			}
			_ = p.Join(genlmsg.IDCtrl)
			_ = p.Send(message(f, 1, nlmsg.FlagAck, nil))
			g := &Family{Name: "g", Groups: []Group{{Name: "g"}}}
			if err := b.Register(g); err != nil {
				t.Fatal(err)
			}
			_ = p.Join(g.GroupID(0))
			if err := b.Unregister(g); err != nil {
				t.Fatal(err)
			}
			_ = p.Close()
		}
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round()
	before := heap()
	for range 20 {
		round()
	}
	if after := heap(); after > before+200<<10 {
		t.Errorf("%d bytes more after 4,000 ports", after-before)
	}
	b.table.RLock()
	defer b.table.RUnlock()
	if len(b.ports) != 0 || len(b.listeners) != 0 {
		t.Errorf("%d ports, %d groups with members are left", len(b.ports), len(b.listeners))
	}
}
