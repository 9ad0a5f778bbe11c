package ctrl

import (
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
)

// A lookup that was invalidated does not end the lookup that started after it.
func TestResolverOvertakenLookupLeavesTheNext(t *testing.T) {
	s, c := newStage(t, "a")
	first, second := make(chan struct{}), make(chan struct{})
	s.hold(first)
	r := newResolver(t, c)
	ids := make(chan nlmsg.Type)
	go func() { ids <- idOf(t, r, "a") }()
	eventually(t, "the first lookup is sent", func() bool { return s.asked("a") == 1 })
	s.hold(second)
	r.Forget("a")
	go func() { ids <- idOf(t, r, "a") }()
	eventually(t, "the second lookup is sent", func() bool { return s.asked("a") == 2 })
	next := flightOf(r, "a")
	close(first)
	<-ids
	if next == nil || flightOf(r, "a") != next {
		t.Error("the end of the first lookup ended the second: a third would be sent")
	}
	close(second)
	<-ids
	if flightOf(r, "a") != nil {
		t.Error("a lookup that has ended is under way")
	}
}

// After ForgetAll, the next lookup of any name sends a request: known names, unknown ones,
// and names with a lookup in progress. Forget does so for one name, and has no effect for
// the empty name.
func TestResolverForgets(t *testing.T) {
	s, c := newStage(t, "a", "b", "c")
	r := newResolver(t, c)
	idOf(t, r, "a")
	idOf(t, r, "b")
	idOf(t, r, "no")
	gate := make(chan struct{})
	s.hold(gate)
	landed := make(chan nlmsg.Type)
	go func() { landed <- idOf(t, r, "c") }()
	eventually(t, "c is looked up", func() bool { return s.asked("c") == 1 })
	s.hold(nil)
	expect := func(what string, a, b int, isMissing bool) {
		t.Helper()
		idOf(t, r, "a")
		idOf(t, r, "b")
		if s.asked("a") != a || s.asked("b") != b || isKnownMissing(r, "no") != isMissing {
			t.Errorf("%s: asked for a %d times, b %d; want %d, %d; no is missing: %v", what, s.asked("a"), s.asked("b"), a, b, !isMissing)
		}
	}
	before := generation(r)
	r.Forget("")
	if generation(r) != before || flightOf(r, "c") == nil {
		t.Error("Forget of the empty name forgets")
	}
	expect("Forget of the empty name", 1, 1, true)
	r.Forget("b")
	expect("Forget(b)", 1, 2, true)
	r.Forget("no")
	expect("Forget(no)", 1, 2, false)
	idOf(t, r, "no")
	if flightOf(r, "c") == nil {
		t.Error("the lookup of c was forgotten")
	}
	r.ForgetAll()
	if flightOf(r, "c") != nil {
		t.Fatal("after ForgetAll the next lookup of c waits for one that may be old")
	}
	if id := idOf(t, r, "c"); id != s.families["c"].ID() || s.asked("c") != 2 {
		t.Errorf("c: id %d, asked %d times", id, s.asked("c"))
	}
	expect("ForgetAll", 2, 3, false)
	close(gate)
	<-landed
}

func flightOf(r *Resolver, name string) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flights[name]
}

func isKnownMissing(r *Resolver, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.missing[name]
	return ok
}
