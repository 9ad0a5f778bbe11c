package conn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// small is a Transport whose receive buffer cannot grow.
type small struct{ wire }

func (small) SetReceiveBuffer(int) error { return nil }

// openSmall makes a Conn whose subscriptions have the smallest possible receive buffer. A
// large number of changes fills it.
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

func TestSubscriptionReceivesTheNotificationsOfItsGroups(t *testing.T) {
	onBoth(t, notificationsOfGroups)
}

func notificationsOfGroups(t *testing.T, w world) {
	c := w.open(t, 0, socket.PacketInfo)
	fill(t, w, c, 0, 1)
	entries, links := w.groups()
	sub, err := c.Subscribe(entries, links)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := c.Do(t.Context(), w.add(c, nlmsg.FlagAck|nlmsg.FlagCreate, 100+i)); err != nil {
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

func TestSubscriptionToAnUnknownGroupFails(t *testing.T) { onBoth(t, unknownGroup) }

func unknownGroup(t *testing.T, w world) {
	c := w.generic(t)
	_, err := c.Subscribe(10_000)
	isError(t, err, errInvalid)
	if len(c.children) != 0 {
		t.Error("the Transport is left open")
	}
}

// churn adds and removes entries in large batches.
func churn(ctx context.Context, t *testing.T, w world, c *Conn, rounds int) {
	const each = 400
	for round := range rounds {
		var batch []*Request
		for i := range each {
			number := 1000*(round%3) + i
			if round%3 != 2 && i%2 == round%2 {
				batch = append(batch, w.remove(c, 0, number)) // some of the entries exist
			} else {
				batch = append(batch, w.add(c, nlmsg.FlagCreate, number))
			}
		}
		if err := c.Batch(ctx, batch...); err != nil && !errors.Is(err, errSearch) && !errors.Is(err, errExist) {
			t.Error(err)
		}
		for _, r := range batch {
			r.Release()
		}
	}
}

// sendSentinel adds an entry with a reserved number. It adds another one after each signal
// of the reader, until progress is closed, because the notification may be lost. After a
// notification for one of them arrives, everything queued or lost before has been
// processed.
func sendSentinel(ctx context.Context, t *testing.T, w world, c *Conn, progress <-chan struct{}) {
	more := true
	for i := 0; more; i++ { // a new number each time: an existing entry causes no notification
		if _, err := c.Do(ctx, w.add(c, nlmsg.FlagAck|nlmsg.FlagCreate, sentinel+i)); err != nil {
			t.Error(err)
			return
		}
		_, more = <-progress
	}
}

// signal informs a sender that something was processed. Signals do not accumulate.
func signal(progress chan<- struct{}) {
	select {
	case progress <- struct{}{}:
	default:
	}
}

const sentinel = 99_999 // numbers from here on

// state returns the numbers of the entries.
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

// The state is rebuilt after each loss.
func TestStateThatFollowsNotificationsIsThatOfADump(t *testing.T) {
	t.Run("small buffer", func(t *testing.T) {
		onBoth(t, func(t *testing.T, w world) { followState(t, w, openSmall(t, w)) })
	})
	t.Run("growing buffer", func(t *testing.T) {
		onBoth(t, func(t *testing.T, w world) { followState(t, w, w.open(t, 1)) })
	})
}

func followState(t *testing.T, w world, c *Conn) {
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
		defer signal(progress)
		isError(t, loss, errno.ENOBUFS)
		resyncs++
		followed, err = state(ctx, w, c)
		return err
	}
	var wg sync.WaitGroup
	churn(t.Context(), t, w, writer, 3) // nothing is read, so notifications are lost
	wg.Go(func() {
		churn(t.Context(), t, w, writer, 30)
		sendSentinel(t.Context(), t, w, writer, progress)
	})
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
		if ok && i >= sentinel && !isLossOpen(sub) {
			break
		}
		signal(progress)
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
		t.Errorf("nothing was lost (%d losses, %d resyncs)", lost, resyncs)
	}
}

// isLossOpen reports whether a loss has not been reported yet.
func isLossOpen(s *Subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loss != nil || s.missed != nil
}

// addMany adds the entries from 1 to n in batches, then the sentinel.
func addMany(t *testing.T, w world, c *Conn, n int, progress <-chan struct{}) {
	const perBatch = 50
	for first := 1; first <= n; first += perBatch {
		var batch []*Request
		for i := range perBatch {
			batch = append(batch, w.add(c, nlmsg.FlagCreate, first+i))
		}
		if err := c.Batch(t.Context(), batch...); err != nil {
			t.Error(err)
		}
		for _, r := range batch {
			r.Release()
		}
		runtime.Gosched() // gives the reader a chance to receive, also on one processor
	}
	sendSentinel(t.Context(), t, w, c, progress)
}

// The loss is reported before the gap, or after it but before the buffer can be full again.
func TestEveryGapInTheNotificationsIsReported(t *testing.T) { onBoth(t, everyGapIsReported) }

func everyGapIsReported(t *testing.T, w world) {
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
	next, losses, received, gaps := uint32(1), 0, 0, 0
	unexplained := 0 // messages since a gap that no loss has explained
	isAfterLoss := false
	for m, err := range sub.All(t.Context()) {
		signal(progress)
		if err != nil {
			isError(t, err, errno.ENOBUFS)
			losses, unexplained, isAfterLoss = losses+1, 0, true
			continue
		}
		i, _, ok := w.entry(m)
		if !ok {
			t.Fatalf("%v", m)
		}
		if i >= sentinel {
			if unexplained == 0 {
				break
			}
			unexplained++
			continue
		}
		switch {
		case i != next && isAfterLoss:
			gaps++
		case i != next && unexplained == 0:
			gaps, unexplained = gaps+1, 1
		case unexplained > 0:
			unexplained++
		}
		isAfterLoss = false
		if unexplained > 32 { // the smallest buffer holds at most that many
			t.Fatalf("no loss was reported %d messages after a gap", unexplained)
		}
		next = i + 1
		received++
	}
	close(progress)
	wg.Wait()
	t.Logf("%d of %d received, %d gaps, %d losses reported", received, total, gaps, losses)
	if losses == 0 || gaps == 0 {
		t.Error("nothing was lost")
	}
}
