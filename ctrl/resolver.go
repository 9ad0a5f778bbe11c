package ctrl

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// Resolver finds families by name and caches them until the controller reports a change.
// Any number of goroutines may use it. The returned families are shared and must not be
// modified.
//
// The cache reflects the last notification received: it may still contain a family that was
// just removed. The kernel then answers ENOENT to requests with the family's id. Call
// Forget, and look the name up again.
type Resolver struct {
	client *Client
	sub    *conn.Subscription
	done   chan struct{} // closed when watch has ended

	// known points to a map that is replaced and never modified, so that readers need no
	// lock.
	known atomic.Pointer[map[string]*Family]

	mu         sync.Mutex // guards the fields below, and replacing known
	generation uint64     // counts invalidations
	flights    map[string]*flight
	missing    map[string]time.Time // name: time until which the name counts as unknown
	ended      error                // the error that ended the notifications
}

// flight is a lookup in progress, shared by all callers that need the name.
type flight struct {
	landed chan struct{}
	family *Family
	err    error
}

// The limits for caching unknown names. A notification removes an entry as soon as the
// family is registered; the time limit covers lost notifications.
const (
	missingFor = time.Second
	maxMissing = 1024
)

// NewResolver makes a Resolver over a Conn of NETLINK_GENERIC. The Conn must be able to
// open a Transport for the notifications. The caller keeps the Conn and closes it.
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

// Close ends the subscription. Later lookups send a request each time.
func (r *Resolver) Close() error {
	if r.sub == nil {
		return errZero
	}
	err := r.sub.Close()
	<-r.done
	return err
}

// Family returns the family with a name, from the cache or from the kernel. The error for
// an unknown family is ErrUnknown; see Client.Family for the others. Concurrent lookups of
// a name share one request; each waits until its ctx ends.
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

// ID returns the id of the family with a name, which is the type of its messages. The
// errors are those of Family.
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
		// The flight may have ended with the context of the caller that started it.
		if f.err == nil || !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.family, f.err
		}
	}
}

// board returns the flight for a name. own reports that the caller must run it.
func (r *Resolver) board(name string) (f *flight, own bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := (*r.known.Load())[name]; found != nil { // another caller has found it
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

// fly sends the request for all waiting callers. It caches the answer only if nothing was
// invalidated meanwhile, because the answer may be older than the change.
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

// watch processes the controller's notifications until the subscription ends.
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
			r.ForgetAll() // the change is unknown
			continue
		}
		r.Forget(e.Family.Name)
	}
}

// Forget removes a name from the cache, so that its next lookup sends a request. Lookups in
// progress continue for the callers that already wait. The empty name has no effect.
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

// ForgetAll removes every name, as Forget removes one.
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

// missingError is the error for a name that is cached as unknown.
type missingError struct{ name string }

// Error names the family and reports that it is not registered.
func (e missingError) Error() string {
	return "ctrl: family " + strconv.Quote(e.name) + ": " + ErrUnknown.Error() + " (looked up less than a second ago)"
}

// Unwrap returns ErrUnknown and ENOENT, like the error of a lookup.
func (e missingError) Unwrap() []error { return []error{ErrUnknown, errno.ENOENT} }
