package conn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// small is a Transport whose receive buffer cannot grow.
type small struct{ wire }

func (small) SetReceiveBuffer(int) error { return nil }

// openSmall makes a Conn whose subscriptions have the smallest receive buffer
// there is, which a burst is sure to fill.
func openSmall(t *testing.T, w world) *Conn {
	t.Helper()
	main, err := w.dial()
	if err != nil {
		t.Fatal(err)
	}
	c := New(main, WithDialer(func() (Transport, error) {
		own, err := w.dial()
		if err != nil {
			return nil, err
		}
		return small{own}, own.SetReceiveBuffer(1)
	}))
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSubscription(t *testing.T) { onBoth(t, subscription) }

func subscription(t *testing.T, w world) {
	c := w.open(t, 0, socket.PacketInfo)
	fill(t, w, c, 0, 1)
	entries, links := w.groups()
	sub, err := c.Subscribe(entries, links)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := c.Do(t.Context(), w.add(c, nlmsg.Ack|nlmsg.Create, 100+i)); err != nil {
			t.Fatal(err)
		}
	}
	addLink(t, w, c, "br0")
	var got []string
	for m, err := range sub.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("group %d", sub.Info().Group)
		if i, isThere, ok := w.entry(m); ok {
			what += fmt.Sprintf(" entry %d %v", i, isThere)
		}
		got = append(got, what)
		if w.isLink(m) {
			break
		}
	}
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("group %d entry %d true", entries, 100+i))
	}
	want = append(want, fmt.Sprintf("group %d", links))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	var last error
	for _, err := range sub.All(ctx) {
		last = err
	}
	isError(t, last, context.Canceled)
	if err := sub.Close(); err != nil {
		t.Error(err)
	}
	for _, err := range sub.All(t.Context()) {
		isError(t, err, os.ErrClosed)
	}
	isError(t, sub.Close(), os.ErrClosed)
}

func TestSubscribeToWhatIsNot(t *testing.T) { onBoth(t, subscribeToWhatIsNot) }

func subscribeToWhatIsNot(t *testing.T, w world) {
	c := w.generic(t)
	_, err := c.Subscribe(10_000)
	isError(t, err, errInvalid)
	if len(c.children) != 0 {
		t.Error("the Transport is left open")
	}
}

// burst adds and removes entries in large batches, faster than they are read. Then
// it sends the sentinel.
func burst(ctx context.Context, t *testing.T, w world, c *Conn, rounds int, progress <-chan struct{}) {
	const each = 400
	for round := range rounds {
		var batch []*Request
		for i := range each {
			number := 1000*(round%3) + i
			if round%3 != 2 && i%2 == round%2 {
				batch = append(batch, w.remove(c, 0, number)) // some exist, some do not
			} else {
				batch = append(batch, w.add(c, nlmsg.Create, number))
			}
		}
		if err := c.Batch(ctx, batch...); err != nil && !errors.Is(err, errSearch) && !errors.Is(err, errExist) {
			t.Error(err)
		}
		for _, r := range batch {
			r.Release()
		}
	}
	sendSentinel(ctx, t, w, c, progress)
}

// sendSentinel adds an entry of its own, and another whenever the reader has done
// something, until progress is closed: the notification itself may be among the
// lost. When one is heard, whatever was queued or lost before has been dealt with.
func sendSentinel(ctx context.Context, t *testing.T, w world, c *Conn, progress <-chan struct{}) {
	more := true
	for i := 0; more; i++ { // each another: nobody is told of one that is there
		if _, err := c.Do(ctx, w.add(c, nlmsg.Ack|nlmsg.Create, sentinel+i)); err != nil {
			t.Error(err)
			return
		}
		_, more = <-progress
	}
}

// tell lets a sender know that something was done; one word of it is enough.
func tell(progress chan<- struct{}) {
	select {
	case progress <- struct{}{}:
	default:
	}
}

const sentinel = 99_999 // and above

// state lists the numbers of the entries.
func state(ctx context.Context, w world, c *Conn) (map[uint32]bool, error) {
	numbers := map[uint32]bool{}
	r := w.list(c)
	defer r.Release()
	for m, err := range c.Dump(ctx, r, Retry(10, func() { clear(numbers) })) {
		if err != nil {
			return nil, err
		}
		if i, _, ok := w.entry(m); ok && i < sentinel {
			numbers[i] = true
		}
	}
	return numbers, nil
}

// A state that follows notifications, and is made anew at each loss, is in the
// end what a fresh dump says.
func TestAFloodIsFollowed(t *testing.T) {
	t.Run("small buffer", func(t *testing.T) {
		onBoth(t, func(t *testing.T, w world) { followFlood(t, w, openSmall(t, w)) })
	})
	t.Run("growing buffer", func(t *testing.T) {
		onBoth(t, func(t *testing.T, w world) { followFlood(t, w, w.open(t, 1)) })
	})
}

func followFlood(t *testing.T, w world, c *Conn) {
	writer := w.open(t, 8<<20)
	fill(t, w, writer, 0, 1)
	entries, _ := w.groups()
	sub, err := c.Subscribe(entries)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	followed, err := state(t.Context(), w, c)
	if err != nil {
		t.Fatal(err)
	}
	resyncs, progress := 0, make(chan struct{}, 1)
	sub.Resync = func(ctx context.Context, loss *LossError) (err error) {
		defer tell(progress)
		isError(t, loss, syscall.ENOBUFS)
		resyncs++
		followed, err = state(ctx, w, c)
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { burst(t.Context(), t, w, writer, 30, progress) })
	for m, err := range sub.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		i, isThere, ok := w.entry(m)
		switch {
		case !ok || i >= sentinel:
		case isThere:
			followed[i] = true
		default:
			delete(followed, i)
		}
		if ok && i >= sentinel && sub.loss == nil {
			break
		}
		tell(progress)
	}
	close(progress)
	wg.Wait()
	want, err := state(t.Context(), w, c)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(want, followed) {
		t.Errorf("%d entries followed, %d there", len(followed), len(want))
	}
	if lost := c.Stats().Lost; lost == 0 || resyncs == 0 {
		t.Errorf("nothing was lost: the burst was none (%d losses, %d resyncs)", lost, resyncs)
	}
}

// addMany adds the entries from 1 to n in batches, then the sentinel.
func addMany(t *testing.T, w world, c *Conn, n int, progress <-chan struct{}) {
	const perBatch = 50
	for first := 1; first <= n; first += perBatch {
		var batch []*Request
		for i := range perBatch {
			batch = append(batch, w.add(c, nlmsg.Create, first+i))
		}
		if err := c.Batch(t.Context(), batch...); err != nil {
			t.Error(err)
		}
		for _, r := range batch {
			r.Release()
		}
		runtime.Gosched() // the reader hears some of each, on one processor too
	}
	sendSentinel(t.Context(), t, w, c, progress)
}

// No gap is silent: a loss is told before it, or behind it, before the buffer can
// have been filled again.
func TestEveryLossIsTold(t *testing.T) { onBoth(t, everyLossIsTold) }

func everyLossIsTold(t *testing.T, w world) {
	c, writer := openSmall(t, w), w.open(t, 0)
	fill(t, w, writer, 0, 1)
	entries, _ := w.groups()
	sub, err := c.Subscribe(entries)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	const total = 20_000
	progress := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() { addMany(t, w, writer, total, progress) })
	next, losses, heard, gaps := uint32(1), 0, 0, 0
	untold := 0 // messages since a gap that no loss explains yet
	justTold := false
	for m, err := range sub.All(t.Context()) {
		tell(progress)
		if err != nil {
			isError(t, err, syscall.ENOBUFS)
			losses, untold, justTold = losses+1, 0, true
			continue
		}
		i, _, ok := w.entry(m)
		if !ok {
			t.Fatalf("%v", m)
		}
		if i >= sentinel {
			if untold == 0 {
				break
			}
			untold++
			continue
		}
		switch {
		case i != next && justTold:
			gaps++
		case i != next && untold == 0:
			gaps, untold = gaps+1, 1
		case untold > 0:
			untold++
		}
		justTold = false
		if untold > 32 { // the smallest buffer holds no more
			t.Fatalf("no loss was told %d messages after a gap", untold)
		}
		next = i + 1
		heard++
	}
	close(progress)
	wg.Wait()
	t.Logf("%d of %d heard, %d gaps, %d losses told", heard, total, gaps, losses)
	if losses == 0 || gaps == 0 {
		t.Error("nothing was lost: the burst was none")
	}
}
