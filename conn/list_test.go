package conn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nlmsg"
)

func TestDumpAllocatesNothingForItsMessages(t *testing.T) { onBoth(t, dumpAllocatesNothing) }

func dumpAllocatesNothing(t *testing.T, w world) {
	if guard.Race {
		t.Skip("the race detector makes a sync.Pool allocate")
	}
	allocs := func(first, n int) float64 {
		c := w.open(t, 0)
		fill(t, w, c, first, n)
		return testing.AllocsPerRun(10, func() {
			if got := count(t, w, c); got != first+n {
				t.Fatalf("%d entries, want %d", got, first+n)
			}
		})
	}
	if few, many := allocs(0, 10), allocs(10, 4990); few > 1 || many > 1 {
		t.Errorf("%v allocations for 10 entries, %v for 5000", few, many)
	}
}

func TestEchoOfAChangeIsItsReply(t *testing.T) { onBoth(t, echoOfAChange) }

func echoOfAChange(t *testing.T, w world) {
	c := w.open(t, 0)
	fill(t, w, c, 0, 1)
	m, err := c.Do(t.Context(), w.add(c, nlmsg.FlagAck|nlmsg.FlagEcho|nlmsg.FlagCreate, 7))
	if err != nil {
		t.Fatal(err)
	}
	if i, isThere, ok := w.entry(m); i != 7 || !isThere || !ok {
		t.Errorf("%v: entry %d, %v, %v", m, i, isThere, ok)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

// The initial receive buffer cannot hold a thousand acknowledgements.
func TestLargeBatchOnASmallReceiveBufferIsAnswered(t *testing.T) { onBoth(t, largeBatch) }

func largeBatch(t *testing.T, w world) {
	c := w.open(t, 4096)
	fill(t, w, c, 0, 10)
	var batch []*Request
	for i := range 1000 {
		batch = append(batch, w.add(c, nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, i))
	}
	isError(t, c.Batch(t.Context(), batch...), errExist)
	for i, r := range batch {
		if exists := errors.Is(r.Err(), errExist); exists != (i < 10) || !exists && r.Err() != nil {
			t.Fatalf("entry %d: %v", i, r.Err())
		}
	}
	if n := count(t, w, c); n != 1000 {
		t.Errorf("%d entries", n)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

// The kernel sends no reply to this request.
func TestChangeWithoutAckOfAnEntryThatIsThereEnds(t *testing.T) { onBoth(t, changeWithoutAck) }

func changeWithoutAck(t *testing.T, w world) {
	c := w.open(t, 0)
	fill(t, w, c, 0, 10)
	if m, err := c.Do(t.Context(), w.add(c, nlmsg.FlagCreate|nlmsg.FlagReplace, 0)); m != nil || err != nil {
		t.Errorf("%v, %v", m, err)
	}
	_, err := c.Do(t.Context(), w.add(c, nlmsg.FlagCreate|nlmsg.FlagExcl, 0))
	isError(t, err, errExist)
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

func TestContextEndsADumpInItsMiddle(t *testing.T) { onBoth(t, contextEndsADump) }

func contextEndsADump(t *testing.T, w world) {
	c := w.open(t, 0)
	fill(t, w, c, 0, 3000)
	for _, isSingle := range []bool{false, true} {
		t.Run(fmt.Sprintf("single %v", isSingle), func(t *testing.T) {
			own := c
			if isSingle {
				alone, err := w.dial()
				if err != nil {
					t.Fatal(err)
				}
				own = New(alone)
				defer own.Close()
			}
			for range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				var last error
				for _, err := range own.Dump(ctx, w.list(own)) {
					if n++; n == 700 {
						cancel() // between two receives
					}
					last = err
				}
				cancel()
				isError(t, last, context.Canceled)
				if n < 700 || n > 3000 {
					t.Errorf("%d messages", n)
				}
			}
			for range 1000 {
				if _, err := own.Do(t.Context(), w.nothing(own)); err != nil {
					t.Fatal(err)
				}
			}
			if n := count(t, w, own); n != 3000 {
				t.Errorf("%d entries", n)
			}
		})
	}
}

// foreignDump makes a request for a list with a sequence number that no Conn has chosen.
func foreignDump(r *Request) []byte {
	m := r.msg()
	m.SetFlags(nlmsg.FlagRequest | nlmsg.FlagDump)
	m.SetSeq(1)
	return nlmsg.End(r.B, 0)
}

// The owner of the Transport sends a dump directly, bypassing the Conn. The kernel refuses
// the second of two dumps.
func TestForeignDumpOnTheSameTransportIsNotTheConns(t *testing.T) { onBoth(t, dumpOnTheSameTransport) }

func dumpOnTheSameTransport(t *testing.T, w world) {
	s, err := w.dial()
	if err != nil {
		t.Fatal(err)
	}
	c := New(s)
	defer c.Close()
	fill(t, w, c, 0, 3000)
	foreign := foreignDump(w.list(c))
	n := 0
	for _, err := range c.Dump(t.Context(), w.list(c)) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			if err := s.Send(foreign); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(t.Context(), w.nothing(c)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if st := c.Stats(); n < 3000 || st.Stale != 1 {
		t.Errorf("%d entries, %+v", n, st)
	}
	// The reverse case: the dump of the Conn is the second.
	if err := s.Send(foreign); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range c.Dump(t.Context(), w.list(c)) {
		last = err
	}
	isError(t, last, errBusy)
	if last == nil || !strings.Contains(last.Error(), "another dump is running on this socket") {
		t.Errorf("error %v", last)
	}
}

func TestDumpDuringWhichALinkWasAddedIsInterrupted(t *testing.T) { onBoth(t, interrupted) }

func interrupted(t *testing.T, w world) {
	c := w.open(t, 0)
	for i := range 60 {
		addLink(t, w, c, fmt.Sprintf("br%d", i))
	}
	added := 0
	links := func(disturb int, on ...Interrupted) (n int, err error) {
		r := w.listLinks(c)
		if len(on) > 0 && on[0].again != nil {
			on[0].again = func() { n = 0; disturb-- }
		}
		for _, e := range c.Dump(t.Context(), r, on...) {
			if err = e; e == nil {
				n++
			}
			if n == 3 && disturb > 0 {
				addLink(t, w, c, fmt.Sprintf("new%d", added))
				added++
			}
		}
		return n, err
	}
	if n, err := links(0); n != 61 || err != nil {
		t.Fatalf("undisturbed: %d links, %v", n, err)
	}
	if n, err := links(1); !errors.Is(err, ErrInterrupted) || n < 61 {
		t.Errorf("disturbed: %d links, %v", n, err)
	}
	var isMarked bool
	if n, err := links(1, Accept(&isMarked)); err != nil || !isMarked || n < 62 {
		t.Errorf("accepted: %d links, %v, marked %v", n, err, isMarked)
	}
	if n, err := links(2, Retry(5, func() {})); err != nil || n != 65 {
		t.Errorf("retried: %d links, %v", n, err)
	}
}

func TestCloseEndsRequestsDumpsAndSubscriptionsUnderLoad(t *testing.T) { onBoth(t, closeUnderLoad) }

func closeUnderLoad(t *testing.T, w world) {
	fill(t, w, w.open(t, 0), 0, 1000)
	_, links := w.groups()
	for range 5 {
		c := w.open(t, 0)
		sub, err := c.Subscribe(links)
		if err != nil {
			t.Fatal(err)
		}
		var wg, started sync.WaitGroup
		closed := func(err error) {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("error %v", err)
			}
		}
		for range 4 {
			started.Add(2)
			wg.Go(func() {
				started.Done()
				for {
					if _, err := c.Do(t.Context(), w.add(c, nlmsg.FlagCreate|nlmsg.FlagReplace, 0)); err != nil {
						closed(err)
						return
					}
				}
			})
			wg.Go(func() {
				started.Done()
				for {
					for _, err := range c.Dump(t.Context(), w.list(c)) {
						if err != nil {
							closed(err)
							return
						}
					}
				}
			})
		}
		wg.Go(func() {
			for _, err := range sub.All(t.Context()) {
				if err != nil {
					closed(err)
				}
			}
		})
		started.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		closed(sub.Close())
	}
}

// NLWIRE_ROUTES sets the number of routes, up to a full Internet table. The default is
// 20,000.
func TestMemoryOfALongDumpIsBounded(t *testing.T) { onBoth(t, memoryOfALongDump) }

func memoryOfALongDump(t *testing.T, w world) {
	routes := 20_000
	if s := os.Getenv("NLWIRE_ROUTES"); s != "" {
		if _, err := fmt.Sscan(s, &routes); err != nil {
			t.Fatal(err)
		}
	}
	c := w.open(t, 0)
	fill(t, w, c, 0, routes)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := count(t, w, c)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d routes: %d bytes allocated, peak RSS of the process %d KiB", n, allocated, peakRSS(t))
	limit := uint64(DefaultBuffer + 256<<10) // a buffer: the last one may have been freed
	if _, isBus := w.(*busWorld); isBus {
		limit += 256 << 10 // includes the buffers of the bus
		if guard.Race {
			limit = math.MaxUint64 // the race detector makes its sync.Pool allocate
		}
	}
	if n != routes || allocated > limit {
		t.Errorf("%d routes, %d bytes allocated", n, allocated)
	}
}
