package ctrl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
)

func newResolver(t *testing.T, c *conn.Conn) *Resolver {
	t.Helper()
	r, err := NewResolver(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// eventually waits for another goroutine. An event that never occurs ends the test run by
// its timeout.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for !f() {
		if t.Context().Err() != nil {
			t.Fatal(what)
		}
		runtime.Gosched()
	}
}

func idOf(t *testing.T, r *Resolver, name string) nlmsg.Type {
	t.Helper()
	id, err := r.ID(t.Context(), name)
	if err != nil && !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	return id
}

// onlyNewGroups drops all notifications except those of new groups.
func onlyNewGroups(d bus.Delivery) bus.Fault {
	if e, _ := ParseEvent(d.Bytes); e.Cmd == genlmsg.CtrlCmdNewMulticastGroup {
		return bus.NoFault
	}
	return bus.Lose
}

// change is a change of a family.
type change struct {
	name string
	do   func() (want nlmsg.Type) // returns the id afterwards
}

// changesOfA returns changes that a Resolver must notice.
func changesOfA(s *stage) []change {
	again := func() nlmsg.Type { return s.come("a") }
	return []change{
		{"it came back with another id", again},
		{"it was unloaded", func() nlmsg.Type { s.goes("a"); return 0 }},
		{"it came back", again},
		{"a loss, and a change that was lost", func() nlmsg.Type {
			return s.during(func(bus.Delivery) bus.Fault { return bus.NoBuffers }, again)
		}},
		{"a notification that is cut", func() nlmsg.Type {
			return s.during(func(bus.Delivery) bus.Fault { return bus.Truncate }, again)
		}},
		{"a notification that is not understood", func() nlmsg.Type {
			id := s.during(unheard, again)
			b := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, 0, 0)
			s.tell(nlmsg.End(genlmsg.Append(b, 77, 1), 0))
			return id
		}},
		{"a new group", func() nlmsg.Type {
			return s.during(onlyNewGroups, func() nlmsg.Type { return s.come("a", "g") })
		}},
	}
}

func TestResolverKeepsAndForgets(t *testing.T) {
	s, c := newStage(t, "a", "ab")
	r := newResolver(t, c)
	a, ab := s.families["a"].ID(), s.families["ab"].ID()
	for range 10 {
		if idOf(t, r, "a") != a || idOf(t, r, "ab") != ab {
			t.Fatal("wrong ids")
		}
	}
	if s.asked("a") != 1 || s.asked("ab") != 1 {
		t.Errorf("asked %d and %d times, want once", s.asked("a"), s.asked("ab"))
	}
	isKept := func(want nlmsg.Type) bool { // an invalidated answer is not cached
		isNew := idOf(t, r, "a") == want
		asked := s.asked("a")
		return isNew && idOf(t, r, "a") == want && s.asked("a") == asked
	}
	var last nlmsg.Type
	for _, tt := range changesOfA(s) {
		want := tt.do()
		if want == last {
			t.Fatalf("%s: the id is %d as before", tt.name, want)
		}
		eventually(t, tt.name, func() bool { return isKept(want) })
		last = want
	}
	// Notifications arrive in order: after one for "ab", those for "a" have been processed.
	// Each earlier loss may cause another lookup, so this is repeated.
	for range 3 {
		want := s.come("ab")
		eventually(t, "the others are heard", func() bool { return idOf(t, r, "ab") == want })
	}
	eventually(t, "the id is kept", func() bool { return isKept(last) })
	silent := s.during(unheard, func() nlmsg.Type { return s.come("a") })
	if id := idOf(t, r, "a"); id != last {
		t.Errorf("id %d without a notification", id)
	}
	r.Forget("a")
	if id := idOf(t, r, "a"); id != silent {
		t.Errorf("id %d after Forget", id)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

// A notification that is not from the controller has no effect.
func TestResolverIgnoresForgedNotifications(t *testing.T) {
	s, c := newStage(t, "a")
	r := newResolver(t, c)
	id := idOf(t, r, "a")
	liar, before := s.dial(), generation(r)
	for _, p := range s.listeners() {
		if err := liar.SendTo(p.PortID(), appendFamily(nil, genlmsg.CtrlCmdDelFamily, Family{Name: "a", ID: id})); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the forged one is heard", func() bool { return c.Stats().Foreign == 1 })
	if idOf(t, r, "a") != id || generation(r) != before || s.asked("a") != 1 {
		t.Errorf("asked %d times", s.asked("a"))
	}
}

// An unknown name is not requested again immediately, but is found as soon as the
// controller reports it. The number of cached unknown names is limited.
func TestResolverUnknownNames(t *testing.T) {
	s, c := newStage(t)
	r := newResolver(t, c)
	for range 10 {
		_, err := r.Family(t.Context(), "later")
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, errno.ENOENT) || !strings.Contains(err.Error(), `"later"`) {
			t.Fatalf("error %v", err)
		}
	}
	if s.asked("later") != 1 {
		t.Errorf("asked %d times", s.asked("later"))
	}
	later := s.come("later")
	eventually(t, "the family came", func() bool { return idOf(t, r, "later") == later })
	for i := range 3 * maxMissing {
		idOf(t, r, fmt.Sprint("no", i))
	}
	if n := len(r.missing); n > maxMissing {
		t.Errorf("%d names that are not there are kept", n)
	}
	if _, err := r.Family(t.Context(), ""); !errors.Is(err, ErrNameEmpty) {
		t.Errorf("error %v", err)
	}
	if _, err := r.Family(t.Context(), strings.Repeat("x", 16)); !errors.Is(err, ErrNameLong) {
		t.Errorf("error %v", err)
	}
	if s.asked("") != 0 || s.asked(strings.Repeat("x", 16)) != 0 {
		t.Error("a name that cannot be was sent")
	}
}

// One caller sends the request, the others wait for it, each until its context ends.
func TestResolverAsksOnce(t *testing.T) {
	s, c := newStage(t, "a")
	gate := make(chan struct{})
	s.hold(gate)
	r, a := newResolver(t, c), s.families["a"].ID()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if id := idOf(t, r, "a"); id != a {
				t.Errorf("id %d", id)
			}
		})
	}
	eventually(t, "a lookup is sent", func() bool { return s.asked("a") == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Family(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller whose context ended: %v", err)
	}
	close(gate)
	wg.Wait()
	if n := s.asked("a"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// The caller that sends the request gives up: the waiting callers send their own.
func TestResolverIsNotCancelledByOthers(t *testing.T) {
	s, c := newStage(t, "a")
	gate := make(chan struct{})
	s.hold(gate)
	r := newResolver(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := r.Family(ctx, "a")
		first <- err
	}()
	eventually(t, "the first asks", func() bool { return s.asked("a") == 1 })
	second := make(chan nlmsg.Type)
	go func() { second <- idOf(t, r, "a") }()
	cancel()
	s.hold(nil)
	close(gate)
	if err := <-first; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if id := <-second; id != s.families["a"].ID() {
		t.Errorf("id %d", id)
	}
}

// The answer to a lookup is not cached if its name was invalidated meanwhile.
func TestResolverLookupOvertaken(t *testing.T) {
	s, c := newStage(t, "a")
	gate := make(chan struct{})
	s.hold(gate)
	r, first := newResolver(t, c), s.families["a"].ID()
	old := make(chan nlmsg.Type)
	go func() { old <- idOf(t, r, "a") }()
	eventually(t, "it is looked up", func() bool { return s.asked("a") == 1 })
	s.hold(nil)
	before := generation(r)
	last := s.come("a")
	eventually(t, "the change is heard", func() bool { return generation(r) > before })
	if id := idOf(t, r, "a"); id != last { // does not wait for the lookup that may be outdated
		t.Errorf("id %d", id)
	}
	close(gate)
	if id := <-old; id != first {
		t.Errorf("the lookup that was overtaken: %d", id)
	}
	if id := idOf(t, r, "a"); id != last {
		t.Errorf("id %d: an old answer was kept", id)
	}
}

func generation(r *Resolver) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.generation
}

// Families are registered and removed during lookups. At the end every lookup returns the
// last id.
func TestResolverStorm(t *testing.T) {
	s, c := newStage(t, "a", "b", "c")
	r := newResolver(t, c)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, name := range []string{"a", "b", "c"} {
					if f, err := r.Family(t.Context(), name); err == nil && f.Name != name || err != nil && !errors.Is(err, ErrUnknown) {
						t.Errorf("%s: %+v, %v", name, f, err)
					}
				}
			}
		})
	}
	for i := range 2000 {
		name := []string{"a", "b", "c"}[i%3]
		switch i % 7 {
		case 0:
			s.goes(name)
		case 1:
			s.suffer(bus.Script(bus.NoBuffers))
		}
		s.come(name)
	}
	last := map[string]nlmsg.Type{}
	for _, name := range []string{"a", "b", "c"} {
		last[name] = s.come(name)
	}
	for name, id := range last {
		eventually(t, name, func() bool { return idOf(t, r, name) == id })
	}
	close(stop)
	wg.Wait()
}

// Without notifications nothing is cached, and lookups still work.
func TestResolverThatHearsNothing(t *testing.T) {
	s, c := newStage(t, "a")
	r := newResolver(t, c)
	idOf(t, r, "a")
	s.breakDown()
	eventually(t, "the error is reported", func() bool { return r.Err() != nil })
	if !errors.Is(r.Err(), errno.ENOTCONN) {
		t.Error(r.Err())
	}
	for range 3 {
		want := s.during(unheard, func() nlmsg.Type { return s.come("a") })
		if id := idOf(t, r, "a"); id != want {
			t.Errorf("id %d, want %d", id, want)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
	if _, err := NewResolver(conn.New(s.dial())); !errors.Is(err, conn.ErrNoDialer) {
		t.Errorf("a Conn without a Dialer: %v", err)
	}
}

func TestWatch(t *testing.T) {
	s, c := newStage(t)
	var id nlmsg.Type
	var group uint32
	go func() {
		eventually(t, "the watcher listens", func() bool { return len(s.listeners()) == 1 })
		id = s.come("a", "news")
		group = s.families["a"].GroupID(0)
		s.tell(appendFamily(nil, genlmsg.CtrlCmdGetOps, Family{Name: "a", ID: id}))
		s.goes("a")
	}()
	var got []string
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for e, err := range New(c).Watch(ctx) {
		if err != nil {
			got = append(got, err.Error())
			if errors.Is(err, context.Canceled) {
				break
			}
			continue
		}
		got = append(got, e.String())
		if e.Cmd == genlmsg.CtrlCmdDelFamily {
			cancel()
		}
	}
	want := []string{
		fmt.Sprintf("new family a, id %d", id), fmt.Sprintf("new group news, id %d, of family a", group), ErrNotFamily.Error(),
		fmt.Sprintf("removed group news, id %d, of family a", group), fmt.Sprintf("family a, id %d, is gone", id), "conn: subscription to groups [16]: context canceled",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
