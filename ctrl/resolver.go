package ctrl

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/conn"
)

// Resolver finds families by name and keeps what it found, until the controller
// says that it has changed. Many goroutines may use one; what it returns is
// shared and must not be changed.
//
// An answer from the cache is as old as the notifications that have been heard: a
// family that was unloaded a moment ago may still be there. The kernel then
// answers ENOENT to its id; Forget has the next lookup ask.
type Resolver struct {
	client *Client
	sub    *conn.Subscription
	done   chan struct{} // closed when watch has ended

	// known is never changed but replaced, so that reading takes no lock.
	known atomic.Pointer[map[string]*Family]

	mu         sync.Mutex // guards what follows, and replacing known
	generation uint64     // counts what was thrown away
	flights    map[string]*flight
	missing    map[string]time.Time // until when a name is known not to be there
	heard      error                // why nothing is heard any more
}

// flight is a lookup that is under way, for all who want its name.
type flight struct {
	landed chan struct{}
	family *Family
	err    error
}

// How long a name that is not there is not asked for again, and how many of them
// are kept. A family that comes is heard of; the time is for names that were
// unknown when the notifications were lost.
const (
	missingFor = time.Second
	maxMissing = 1024
)

// NewResolver makes a Resolver over a Conn of NETLINK_GENERIC that can open a
// Transport for the notifications. The Conn stays the caller's.
func NewResolver(c *conn.Conn) (*Resolver, error) {
	sub, err := c.Subscribe(notifyGroup)
	if err != nil {
		return nil, err
	}
	r := &Resolver{
		client: New(c), sub: sub, done: make(chan struct{}),
		flights: map[string]*flight{}, missing: map[string]time.Time{},
	}
	r.known.Store(&map[string]*Family{})
	sub.Resync = func(context.Context, *conn.LossError) error {
		r.forget("")
		return nil
	}
	go r.watch()
	return r, nil
}

// Close ends listening. Later lookups ask the kernel each time.
func (r *Resolver) Close() error {
	err := r.sub.Close()
	<-r.done
	return err
}

// Family returns the family of that name, from the cache or from the kernel. An
// unknown one is ErrUnknown; see Client.Family for the other errors. Of several
// callers who want the same name one asks and the others wait, each as long as
// its ctx.
func (r *Resolver) Family(ctx context.Context, name string) (*Family, error) {
	if f := (*r.known.Load())[name]; f != nil {
		return f, nil
	}
	return r.lookUp(ctx, name)
}

// ID is Family for those who only need the id, the type of its messages.
func (r *Resolver) ID(ctx context.Context, name string) (uint16, error) {
	f, err := r.Family(ctx, name)
	if err != nil {
		return 0, err
	}
	return f.ID, nil
}

// Forget has the next lookup of a name ask the kernel.
func (r *Resolver) Forget(name string) { r.forget(name) }

// Err returns why notifications are not heard any more, nil as long as they are.
// Without them nothing is kept.
func (r *Resolver) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard
}

func (r *Resolver) lookUp(ctx context.Context, name string) (*Family, error) {
	for {
		f, own, err := r.board(name)
		switch {
		case err != nil:
			return nil, err
		case own:
			return r.fly(ctx, f, name)
		}
		select {
		case <-f.landed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// A flight may have been given up by the context of who began it.
		if f.err == nil || !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.family, f.err
		}
	}
}

// board returns the flight for a name; own says that the caller has begun it.
func (r *Resolver) board(name string) (f *flight, own bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := (*r.known.Load())[name]; found != nil { // meanwhile
		f = &flight{landed: make(chan struct{}), family: found}
		close(f.landed)
		return f, false, nil
	}
	if until, ok := r.missing[name]; ok {
		if time.Now().Before(until) {
			return nil, false, missingError{name}
		}
		delete(r.missing, name)
	}
	if f = r.flights[name]; f != nil {
		return f, false, nil
	}
	f = &flight{landed: make(chan struct{})}
	r.flights[name] = f
	return f, true, nil
}

// fly asks the kernel, for all who wait. What was thrown away meanwhile may be
// what the answer says, so it is kept only if nothing was.
func (r *Resolver) fly(ctx context.Context, f *flight, name string) (*Family, error) {
	r.mu.Lock()
	before := r.generation
	r.mu.Unlock()
	found, err := r.client.Family(ctx, name)

	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(f.landed)
	if r.flights[name] == f {
		delete(r.flights, name)
	}
	current := r.generation == before && r.heard == nil
	switch {
	case err == nil:
		f.family = &found
		if current {
			next := maps.Clone(*r.known.Load())
			next[name] = f.family
			r.known.Store(&next)
		}
	case errors.Is(err, ErrUnknown) && current:
		if len(r.missing) >= maxMissing {
			clear(r.missing)
		}
		r.missing[name] = time.Now().Add(missingFor)
	}
	f.err = err
	return f.family, err
}

// watch hears the controller until the subscription ends.
func (r *Resolver) watch() {
	defer close(r.done)
	for m, err := range r.sub.All(context.Background()) {
		if err != nil {
			r.mu.Lock()
			r.heard = err
			r.mu.Unlock()
			r.forget("")
			return
		}
		e, err := ParseEvent(m)
		if err != nil {
			r.forget("") // something changed, and it is not known what
			continue
		}
		r.forget(e.Family.Name)
	}
}

// forget throws away what is known of a name, "" for all of them. Lookups under
// way are left to those who wait; who comes later begins another.
func (r *Resolver) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
	if name == "" {
		r.known.Store(&map[string]*Family{})
		clear(r.flights)
		clear(r.missing)
		return
	}
	delete(r.flights, name)
	delete(r.missing, name)
	if known := *r.known.Load(); known[name] != nil {
		next := maps.Clone(known)
		delete(next, name)
		r.known.Store(&next)
	}
}

// missingError is the answer for a name that was asked for a moment ago.
type missingError struct{ name string }

// Error returns the name, and that the kernel does not have it.
func (e missingError) Error() string {
	return ErrUnknown.Error() + " (family " + strconv.Quote(e.name) + ", asked a moment ago)"
}

// Is reports ErrUnknown and ENOENT, as the kernel's answer does.
func (e missingError) Is(target error) bool { return target == ErrUnknown || target == syscall.ENOENT }
