package ctrl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/conn"
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

// eventually waits for another goroutine; what never comes ends with the time of
// the test run.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for !f() {
		if t.Context().Err() != nil {
			t.Fatal(what)
		}
		runtime.Gosched()
	}
}

func idOf(t *testing.T, r *Resolver, name string) uint16 {
	t.Helper()
	id, err := r.ID(t.Context(), name)
	if err != nil && !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	return id
}

func TestResolverKeepsAndForgets(t *testing.T) {
	k, c := newKernel(t, "a", "ab")
	r := newResolver(t, c)
	for range 10 {
		if idOf(t, r, "a") != 30 || idOf(t, r, "ab") != 31 {
			t.Fatal("wrong ids")
		}
	}
	if k.asked("a") != 1 || k.asked("ab") != 1 {
		t.Errorf("asked %d and %d times, want once", k.asked("a"), k.asked("ab"))
	}
	changes := []struct {
		name string
		do   func()
		want uint16
	}{
		{"it came back with another id", func() { k.set(Family{Name: "a", ID: 40}) }, 40},
		{"it was unloaded", func() { k.unset("a") }, 0},
		{"it came back", func() { k.set(Family{Name: "a", ID: 41}) }, 41},
		{"a loss, and a change that was lost", func() {
			k.setUntold(Family{Name: "a", ID: 42})
			k.tellRaw(nil, syscall.ENOBUFS)
		}, 42},
		{"a notification that is not understood", func() {
			k.setUntold(Family{Name: "a", ID: 43})
			b, m := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, 0, 0)
			k.tellRaw(nlmsg.End(genlmsg.Append(b, 77, 1), m), nil)
		}, 43},
		{"a new group", func() {
			k.setUntold(Family{Name: "a", ID: 44})
			k.tellRaw(familyMessage(genlmsg.CtrlCmdNewMulticastGroup, 0, 0, Family{Name: "a", ID: 44, Groups: []Group{{5, "g"}}}), nil)
		}, 44},
	}
	for _, tt := range changes {
		tt.do()
		eventually(t, tt.name, func() bool { return idOf(t, r, "a") == tt.want })
	}
	k.setUntold(Family{Name: "a", ID: 45})
	if id := idOf(t, r, "a"); id != 44 {
		t.Errorf("id %d, and nobody has told", id)
	}
	r.Forget("a")
	if id := idOf(t, r, "a"); id != 45 {
		t.Errorf("id %d after Forget", id)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

// A name that is not there is not asked for again at once, but is there as soon as
// the controller says so; and many of them take no memory without limit.
func TestResolverUnknownNames(t *testing.T) {
	k, c := newKernel(t)
	r := newResolver(t, c)
	for range 10 {
		_, err := r.Family(t.Context(), "later")
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), `"later"`) {
			t.Fatalf("error %v", err)
		}
	}
	if k.asked("later") != 1 {
		t.Errorf("asked %d times", k.asked("later"))
	}
	k.set(Family{Name: "later", ID: 50})
	eventually(t, "the family came", func() bool { return idOf(t, r, "later") == 50 })
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
	if k.asked("") != 0 || k.asked(strings.Repeat("x", 16)) != 0 {
		t.Error("a name that cannot be was sent")
	}
}

// One asks, the others wait for it, each as long as its context.
func TestResolverAsksOnce(t *testing.T) {
	k, c := newKernel(t, "a")
	k.gate = make(chan struct{})
	r := newResolver(t, c)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if id := idOf(t, r, "a"); id != 30 {
				t.Errorf("id %d", id)
			}
		})
	}
	eventually(t, "somebody asks", func() bool { return k.asked("a") == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Family(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("one who does not want to wait: %v", err)
	}
	close(k.gate)
	wg.Wait()
	if n := k.asked("a"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// The one who asks gives up: those who wait ask for themselves.
func TestResolverIsNotCancelledByOthers(t *testing.T) {
	k, c := newKernel(t, "a")
	k.gate = make(chan struct{})
	r := newResolver(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := r.Family(ctx, "a")
		first <- err
	}()
	eventually(t, "the first asks", func() bool { return k.asked("a") == 1 })
	second := make(chan uint16)
	go func() { second <- idOf(t, r, "a") }()
	cancel()
	k.mu.Lock()
	gate := k.gate
	k.gate = nil
	k.mu.Unlock()
	close(gate)
	if err := <-first; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if id := <-second; id != 30 {
		t.Errorf("id %d", id)
	}
}

// What is thrown away while it is looked up is not kept.
func TestResolverLookupOvertaken(t *testing.T) {
	k, c := newKernel(t, "a")
	gate := make(chan struct{})
	k.gate = gate
	r := newResolver(t, c)
	old := make(chan uint16)
	go func() { old <- idOf(t, r, "a") }()
	eventually(t, "it is looked up", func() bool { return k.asked("a") == 1 })
	k.mu.Lock()
	k.gate = nil
	k.mu.Unlock()
	before := generation(r)
	k.set(Family{Name: "a", ID: 60})
	eventually(t, "the change is heard", func() bool { return generation(r) > before })
	if id := idOf(t, r, "a"); id != 60 { // does not wait for the lookup that may be old
		t.Errorf("id %d", id)
	}
	close(gate)
	if id := <-old; id != 30 {
		t.Errorf("the lookup that was overtaken: %d", id)
	}
	if id := idOf(t, r, "a"); id != 60 {
		t.Errorf("id %d: an old answer was kept", id)
	}
}

func generation(r *Resolver) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.generation
}

// Families come and go while they are looked up: in the end everybody knows the
// last id.
func TestResolverStorm(t *testing.T) {
	k, c := newKernel(t, "a", "b", "c")
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
			k.unset(name)
		case 1:
			k.tellRaw(nil, syscall.ENOBUFS)
		}
		k.set(Family{Name: name, ID: uint16(100 + i%800)})
	}
	for i, name := range []string{"a", "b", "c"} {
		k.set(Family{Name: name, ID: uint16(1000 + i)})
	}
	for i, name := range []string{"a", "b", "c"} {
		eventually(t, name, func() bool { return idOf(t, r, name) == uint16(1000+i) })
	}
	close(stop)
	wg.Wait()
}

// Without notifications nothing is kept, and everything still works.
func TestResolverThatHearsNothing(t *testing.T) {
	k, c := newKernel(t, "a")
	r := newResolver(t, c)
	idOf(t, r, "a")
	k.tellRaw(nil, syscall.ENOTCONN)
	eventually(t, "the error is told", func() bool { return r.Err() != nil })
	if !errors.Is(r.Err(), syscall.ENOTCONN) {
		t.Error(r.Err())
	}
	for i := range 3 {
		k.setUntold(Family{Name: "a", ID: uint16(70 + i)})
		if id := idOf(t, r, "a"); id != uint16(70+i) {
			t.Errorf("id %d", id)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
	if _, err := NewResolver(conn.New(k.dial())); !errors.Is(err, conn.ErrNoDialer) {
		t.Errorf("a Conn without a Dialer: %v", err)
	}
}

func TestWatch(t *testing.T) {
	k, c := newKernel(t)
	group := Family{Name: "a", ID: 30, Groups: []Group{{7, "news"}}}
	go func() {
		eventually(t, "the watcher listens", func() bool {
			k.mu.Lock()
			defer k.mu.Unlock()
			return len(k.ports) > 1 && k.ports[1].joined
		})
		k.set(Family{Name: "a", ID: 30})
		k.tellRaw(familyMessage(genlmsg.CtrlCmdNewMulticastGroup, 0, 0, group), nil)
		k.tellRaw(familyMessage(genlmsg.CtrlCmdDelMulticastGroup, 0, 0, group), nil)
		k.tellRaw(familyMessage(genlmsg.CtrlCmdGetOps, 0, 0, group), nil)
		k.unset("a")
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
		"new family a, id 30", "new group news, id 7, of family a", "gone group news, id 7, of family a",
		ErrNotFamily.Error(), "family a, id 30, is gone", "conn: subscription to groups [16]: context canceled",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
