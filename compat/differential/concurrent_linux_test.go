package differential

import (
	"fmt"
	"sync"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"

	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/genlmsg"
)

// together runs f in n goroutines and reports their errors.
func together(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := f(i); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// Send and Receive are independent: a goroutine may receive the answer to another one's request.
func TestConcurrentSendAndReceive(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		together(t, 16, func(int) error {
			for range 100 {
				if _, err := c.Send(genetlink.Message{}, 0, netlink.Request|netlink.Acknowledge); err != nil {
					return err
				}
				if messages, _, err := c.Receive(); err != nil || len(messages) != 1 {
					return fmt.Errorf("received %+v: %w", messages, err)
				}
			}
			return nil
		})
		answersNow(t, c)
	})
}

// Execute returns the answer to the caller's own request.
func TestConcurrentExecute(t *testing.T) {
	b := newBus(t)
	c := dial(t, b)
	f := docFamily(t, c)
	together(t, 16, func(i int) error {
		request := echoOf(t, fmt.Sprintf("text of %d", i))
		for range 100 {
			replies, err := c.Execute(request, f.ID, netlink.Request)
			if err != nil {
				return err
			}
			if len(replies) != 1 || string(replies[0].Data) != string(request.Data) {
				return fmt.Errorf("replies %+v", replies)
			}
		}
		return nil
	})
	answersNow(t, c)
}

func TestConcurrentLookups(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		families, err := c.ListFamilies()
		if err != nil {
			t.Fatal(err)
		}
		together(t, 8, func(i int) error {
			want := families[i%len(families)]
			for range 100 {
				got, err := c.GetFamily(want.Name)
				if err != nil {
					return err
				}
				if got.Name != want.Name || got.ID != want.ID {
					return fmt.Errorf("got %+v, want %+v", got, want)
				}
			}
			return nil
		})
	})
}

// Each goroutine sends echo requests and dumps on a separate Conn. A listener in the group receives the
// events of all goroutines, in order for each of them.
func TestConcurrentConns(t *testing.T) {
	const conns, echoes = 8, 20
	b := newBus(t)
	f := docFamily(t, dial(t, b))
	listener := dial(t, b)
	if err := listener.SetReadBuffer(1 << 20); err != nil {
		t.Fatal(err)
	}
	if err := listener.JoinGroup(f.Groups[0].ID); err != nil {
		t.Fatal(err)
	}
	clients := make([]*client, conns)
	for i := range clients {
		clients[i] = dialWith(t, b, smallBuffer)
	}
	together(t, conns, func(i int) error {
		c := clients[i]
		for n := range echoes {
			if _, err := c.Execute(echoOf(t, fmt.Sprintf("%d of %d", n, i)), f.ID, netlink.Request); err != nil {
				return err
			}
			list, err := c.Execute(genetlink.Message{Header: genetlink.Header{Command: docexmpl.CmdEcho}}, f.ID, netlink.Request|netlink.Dump)
			if err != nil || len(list) != docexmpl.DumpLen {
				return fmt.Errorf("%d texts: %w", len(list), err)
			}
		}
		return nil
	})
	next := map[string]int{} // number of the next event, by conn
	for range conns * echoes {
		events, _, err := listener.Receive()
		if err != nil {
			t.Fatal(err)
		}
		text, err := textOf(events[0])
		if err != nil {
			t.Fatal(err)
		}
		var n int
		var who string
		if _, err := fmt.Sscanf(text, "%d of %s", &n, &who); err != nil || n != next[who] {
			t.Fatalf("event %q, want number %d: %v", text, next[who], err)
		}
		next[who]++
	}
	if len(next) != conns {
		t.Errorf("events of %d conns", len(next))
	}
	answersNow(t, listener)
}

func TestCloseWakesReceive(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		failed := make(chan error)
		go func() {
			_, _, err := c.Receive()
			failed <- err
		}()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-failed; !isClosed(err) {
			t.Error(err)
		}
	})
}

// A waiting Receive does not block Send.
func TestSendWhileReceiveWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		type result struct {
			messages []genetlink.Message
			err      error
		}
		received := make(chan result)
		go func() {
			messages, _, err := c.Receive()
			received <- result{messages, err}
		}()
		send(t, c)
		if r := <-received; r.err != nil || len(r.messages) != 1 || r.messages[0].Header.Command != genlmsg.CtrlCmdNewFamily {
			t.Errorf("%+v", r)
		}
	})
}
