package ctrl_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/exercise"
	"github.com/nlwire/nlwire/internal/test/moduletest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// reload has the running kernel and a bus, on which the same families come and go.
type reload struct {
	t        *testing.T
	dir      string // with the modules
	client   *ctrl.Client
	resolver *ctrl.Resolver

	bus      *bus.Bus
	families map[string]*bus.Family // by the name of the module
	socket   *socket.Socket         // members of the group of the controller
	port     *bus.Port
	events   []string // of the compared notifications
}

// TestReload loads and unloads modules while resolvers, a watcher, subscriptions and requests
// run: IDs are found again, no answer is stale, and each notification is equal to that of a bus.
func TestReload(t *testing.T) {
	dir := os.Getenv("NLWIRE_MODULES")
	if dir == "" {
		t.Skip("needs NLWIRE_MODULES, a directory with the modules of internal/test/module, and root")
	}
	r := newReload(t, dir)
	events := r.watch()
	stop := make(chan struct{})
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() { r.use(stop) })
	}
	const rounds = 25
	for i := range rounds {
		for name := range r.families {
			if i%3 != 0 || name == docModule {
				r.unload(name)
			}
		}
		r.find(docexmpl.Name, false)
		for name := range r.families { // in another order each time
			if i%3 != 0 || name == docModule {
				r.load(name)
			}
		}
		r.find(docexmpl.Name, true)
		r.find(exercise.Name, true)
		r.subscribe()
	}
	close(stop)
	users.Wait()
	// The watcher may have started late.
	watched := events()
	if n := len(watched); n < 2*rounds || !slices.Equal(watched, r.events[max(0, len(r.events)-n):]) {
		t.Errorf("%d events were watched:\n%q\n%d notifications:\n%q", n, watched, len(r.events), r.events)
	}
	t.Logf("%d notifications are equal to those of the bus; %d were watched", len(r.events), len(watched))
}

const notifyGroup = 16 // of the controller

// The operation and the attribute of DOC_EXMPL.
const echo, msg = 1, 1

// isText reports whether a message of a family has a text.
func isText(m nlmsg.Msg, f *ctrl.Family, want string) bool {
	text, err := nla.Find(genlmsg.Attrs(m, 0), msg).Text()
	return err == nil && string(text) == want && m.Type() == f.ID
}

const docModule, exerciseModule = "doc_exmpl", "nlw_exercise"

// newReload loads the modules and makes a bus with the same families.
func newReload(t *testing.T, dir string) *reload {
	t.Helper()
	r := &reload{t: t, dir: dir}
	for _, name := range []string{docModule, exerciseModule} {
		r.insert(name)
		t.Cleanup(func() { _ = unix.DeleteModule(name, 0) })
	}
	var err error
	if r.client, err = ctrl.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.client.Close() })
	if r.resolver, err = ctrl.NewResolver(r.client.Conn()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.resolver.Close() })
	if r.socket, err = socket.Open(socket.Generic, socket.WithGroups(notifyGroup), socket.WithReceiveBuffer(1<<20)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.socket.Close() })

	features, err := bus.Probe(r.probeSocket())
	if err != nil {
		t.Fatal(err)
	}
	r.bus = bus.New(bus.WithFeatures(features))
	t.Cleanup(func() { r.bus.Close() })
	r.families = map[string]*bus.Family{docModule: docexmpl.New(), exerciseModule: exercise.New(r.bus)}
	for i, name := range []string{docModule, exerciseModule} {
		f := r.families[name]
		k, err := r.client.Family(t.Context(), f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			moduletest.Adopt(t, r.bus, f, uint16(k.ID), k.Groups[0].ID)
			continue
		}
		if err := r.bus.Register(f); err != nil {
			t.Fatal(err)
		}
		if f.ID() != k.ID || f.GroupID(0) != k.Groups[0].ID {
			t.Fatalf("%s: ID %d and group %d on the bus, %d and %d on the kernel", f.Name, f.ID(), f.GroupID(0), k.ID, k.Groups[0].ID)
		}
	}
	if r.port, err = r.bus.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.port.Close() })
	if err := r.port.Join(notifyGroup); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reload) probeSocket() *socket.Socket {
	r.t.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.Close() })
	return s
}

func (r *reload) insert(name string) {
	r.t.Helper()
	f, err := os.Open(filepath.Join(r.dir, name+".ko"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil {
		r.t.Fatalf("load %s: %v", name, err)
	}
}

func (r *reload) load(name string) {
	r.t.Helper()
	r.insert(name)
	if err := r.bus.Register(r.families[name]); err != nil {
		r.t.Fatal(err)
	}
	r.compare()
}

func (r *reload) unload(name string) {
	r.t.Helper()
	if err := unix.DeleteModule(name, 0); err != nil {
		r.t.Fatalf("unload %s: %v", name, err)
	}
	if err := r.bus.Unregister(r.families[name]); err != nil {
		r.t.Fatal(err)
	}
	r.compare()
}

// compare compares the notifications of the kernel and of the bus, which are in the queues when
// the call that caused them returns.
func (r *reload) compare() {
	r.t.Helper()
	theirs, ours := make([]byte, socket.BufferSize), make([]byte, socket.BufferSize)
	for {
		n, _, err := r.socket.TryReceive(theirs)
		n2, _, err2 := r.port.TryReceive(ours)
		if err == socket.ErrEmpty && err2 == socket.ErrEmpty {
			return
		}
		if err != nil || err2 != nil {
			r.t.Fatalf("notification %d: kernel %v, bus %v", len(r.events), err, err2)
		}
		if !bytes.Equal(theirs[:n], ours[:n2]) {
			r.t.Errorf("notification %d:\n  kernel %x\n  bus    %x", len(r.events), theirs[:n], ours[:n2])
		}
		m, _ := nlmsg.Consume(theirs[:n])
		e, err := ctrl.ParseEvent(m)
		if err != nil {
			r.t.Fatal(err)
		}
		r.events = append(r.events, e.String())
	}
}

// find waits until the resolver has the kernel's ID of a family, or reports that there is none.
func (r *reload) find(name string, exists bool) {
	r.t.Helper()
	want, err := r.client.Family(r.t.Context(), name)
	if (err == nil) != exists {
		r.t.Fatalf("%s: %v", name, err)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		id, err := r.resolver.ID(r.t.Context(), name)
		if exists && err == nil && id == want.ID || !exists && errors.Is(err, ctrl.ErrUnknown) {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("%s: the resolver has ID %d and error %v, the kernel %d", name, id, err, want.ID)
		}
	}
}

// use sends requests to the family that the resolver finds. The family may be removed meanwhile;
// any other answer than the text that was sent is stale, or wrong.
func (r *reload) use(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		f, err := r.resolver.Family(r.t.Context(), docexmpl.Name)
		if errors.Is(err, ctrl.ErrUnknown) {
			continue
		}
		if err != nil {
			r.t.Errorf("resolver: %v", err)
			return
		}
		q := f.Request(r.client.Conn(), echo, nlmsg.FlagRequest|nlmsg.FlagAck)
		q.B = nla.AppendCString(q.B, msg, "text")
		m, err := r.client.Conn().Do(r.t.Context(), q)
		switch {
		case errors.Is(err, unix.ENOENT): // removed
			r.resolver.Forget(docexmpl.Name)
		case err != nil:
			r.t.Errorf("ID %d: %v", f.ID, err)
			return
		case !isText(m, f, "text"):
			r.t.Errorf("ID %d: answer %x", f.ID, []byte(m))
			return
		}
		q.Release()
	}
}

// subscribe receives an event of the family, with a subscription that remains when the family is
// removed.
func (r *reload) subscribe() {
	r.t.Helper()
	f, err := r.client.Family(r.t.Context(), docexmpl.Name)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := r.client.Conn().Subscribe(f.Groups[0].ID)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.Close() })
	q := f.Request(r.client.Conn(), echo, nlmsg.FlagRequest|nlmsg.FlagAck)
	defer q.Release()
	q.B = nla.AppendCString(q.B, msg, "event")
	if _, err := r.client.Conn().Do(r.t.Context(), q); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	for m, err := range s.All(ctx) {
		if err != nil && !errors.As(err, new(*conn.LossError)) {
			r.t.Fatal(err)
		}
		if err == nil && isText(m, &f, "event") {
			return
		}
	}
}

// watch collects the events of a watcher. The returned function ends it after the last
// notification, and returns the events.
func (r *reload) watch() func() []string {
	ctx, cancel := context.WithCancel(r.t.Context())
	events := make(chan string, 4096)
	go func() {
		defer close(events)
		for e, err := range r.client.Watch(ctx) {
			if err != nil {
				if ctx.Err() == nil {
					r.t.Errorf("watcher: %v", err)
				}
				return
			}
			events <- e.String()
		}
	}()
	return func() (list []string) {
		late := time.AfterFunc(10*time.Second, cancel)
		defer late.Stop()
		for e := range events {
			if list = append(list, e); e == r.events[len(r.events)-1] {
				cancel()
			}
		}
		return list
	}
}
