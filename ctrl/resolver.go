package ctrl

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/nlmsg"

	"github.com/nlwire/nlwire/conn"
)

// Resolver finds families by name and caches them until the controller reports a
// change. Many goroutines may use one; the families that it returns are shared and
// must not be changed.
//
// The cache is as old as the last notification received: it may still hold a family
// that was just unloaded. The kernel then answers ENOENT to the family's id; call
// Forget, and look the name up again.
type Resolver struct {
	client *Client
	sub    *conn.Subscription
	done   chan struct{} // closed when watch has ended

	// known is never changed but replaced, so that reading takes no lock.
	known atomic.Pointer[map[string]*Family]

	mu         sync.Mutex // guards the fields below, and replacing known
	generation uint64     // counts invalidations
	flights    map[string]*flight
	missing    map[string]time.Time // until when an unknown name is not asked for again
	ended      error                // why notifications ended
}

// flight is a lookup under way, shared by all callers that want its name.
type flight struct {
	landed chan struct{}
	family *Family
	err    error
}

// How long and how many unknown names are cached. A notification ends an entry as soon
// as the family is registered; the time is for lost notifications.
const (
	missingFor = time.Second
	maxMissing = 1024
)

// NewResolver makes a Resolver over a Conn of NETLINK_GENERIC that can open a
// Transport for the notifications. The caller keeps the Conn and closes it.
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
		r.ForgetAll()
		return nil
	}
	go r.watch()
	return r, nil
}

// Close ends the subscription. Later lookups ask the kernel each time.
func (r *Resolver) Close() error {
	if r.sub == nil {
		return errZero
	}
	err := r.sub.Close()
	<-r.done
	return err
}

// Family returns the family of that name, from the cache or from the kernel. The error
// for an unknown family is ErrUnknown; see Client.Family for the others. Concurrent
// lookups of a name share one request; each waits as long as its ctx.
func (r *Resolver) Family(ctx context.Context, name string) (*Family, error) {
	known := r.known.Load()
	if known == nil {
		return nil, errZero
	}
	if f := (*known)[name]; f != nil {
		return f, nil
	}
	return r.lookUp(ctx, name)
}

// ID returns the id of the family of that name, the type of its messages. Errors are
// those of Family.
func (r *Resolver) ID(ctx context.Context, name string) (nlmsg.Type, error) {
	f, err := r.Family(ctx, name)
	if err != nil {
		return 0, err
	}
	return f.ID, nil
}

// Err returns the error that ended the notifications, nil while they arrive. Without
// notifications nothing is cached.
func (r *Resolver) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
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
		// The flight may have ended with the context of the caller that began it.
		if f.err == nil || !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.family, f.err
		}
	}
}

// board returns the flight for a name; own reports that the caller has to fly it.
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

// fly asks the kernel for all waiting callers. The answer is cached only if nothing was
// invalidated meanwhile: it may be older than that.
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
	current := r.generation == before && r.ended == nil
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

// watch follows the controller's notifications until the subscription ends.
func (r *Resolver) watch() {
	defer close(r.done)
	for m, err := range r.sub.All(context.Background()) {
		if err != nil {
			r.mu.Lock()
			r.ended = err
			r.mu.Unlock()
			r.ForgetAll()
			return
		}
		e, err := ParseEvent(m)
		if err != nil {
			r.ForgetAll() // an unknown change
			continue
		}
		r.Forget(e.Family.Name)
	}
}

// Forget drops a name from the cache, so that the next lookup of it asks the kernel.
// Lookups under way go on for the callers that already wait. The empty name is no
// name: it drops nothing.
func (r *Resolver) Forget(name string) {
	if name == "" || r.sub == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
	delete(r.flights, name)
	delete(r.missing, name)
	if known := *r.known.Load(); known[name] != nil {
		next := maps.Clone(known)
		delete(next, name)
		r.known.Store(&next)
	}
}

// ForgetAll drops every name, as Forget does one.
func (r *Resolver) ForgetAll() {
	if r.sub == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
	r.known.Store(&map[string]*Family{})
	clear(r.flights)
	clear(r.missing)
}

// missingError is the error for an unknown name that is in the cache.
type missingError struct{ name string }

// Error returns the name, and that it is not registered.
func (e missingError) Error() string {
	return "ctrl: family " + strconv.Quote(e.name) + ": " + ErrUnknown.Error() + " (looked up less than a second ago)"
}

// Unwrap returns ErrUnknown and ENOENT, which the error of a lookup has too.
func (e missingError) Unwrap() []error { return []error{ErrUnknown, errno.ENOENT} }
