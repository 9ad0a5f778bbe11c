package ctrl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The three kinds of lookups agree on every family.
func TestFamiliesAgree(t *testing.T) { onBoth(t, familiesAgree) }

func familiesAgree(t *testing.T, w world) {
	c := w.client(t)
	all, err := c.Families(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatalf("%d families, error %v", len(all), err)
	}
	for _, want := range all {
		byName, err := c.Family(t.Context(), want.Name)
		if err != nil {
			t.Fatal(err)
		}
		byID, err := c.FamilyByID(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, byName) + cmp.Diff(want, byID); diff != "" {
			t.Errorf("%s: -list +lookup:\n%s", want.Name, diff)
		}
	}
	nlctrl := all[0]
	if nlctrl.Name != genlmsg.CtrlName || nlctrl.ID != genlmsg.IDCtrl || nlctrl.Version != genlmsg.CtrlVersion {
		t.Errorf("the first family is %+v", nlctrl)
	}
	if id, ok := nlctrl.Group(genlmsg.CtrlGroup); !ok || id != genlmsg.IDCtrl {
		t.Errorf("group notify = %d, %v", id, ok)
	}
	if op, ok := nlctrl.Op(genlmsg.CtrlCmdGetFamily); !ok || op.Flags&(genlmsg.OpDo|genlmsg.OpDump) != genlmsg.OpDo|genlmsg.OpDump {
		t.Errorf("GETFAMILY = %+v, %v", op, ok)
	}
}

func TestUnknownFamilies(t *testing.T) { onBoth(t, unknownFamilies) }

func unknownFamilies(t *testing.T, w world) {
	c := w.client(t)
	for _, name := range []string{"nosuch", "nlctr", "nlctrl2", strings.Repeat("x", 15), "802.15.4 \xff"} {
		_, err := c.Family(t.Context(), name)
		var refused *conn.Error
		if !errors.Is(err, errno.ENOENT) || !errors.Is(err, ErrUnknown) || !errors.As(err, &refused) || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := c.FamilyByID(t.Context(), 0x3ff); !errors.Is(err, errno.ENOENT) || !strings.Contains(err.Error(), "1023") {
		t.Errorf("by id: %v", err)
	}
	for name, want := range map[string]error{"": ErrNameEmpty, strings.Repeat("x", 16): ErrNameLong, "nl\x00ctrl": ErrNameNUL, "nlctrl\x00": ErrNameNUL} {
		if _, err := c.Family(t.Context(), name); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	if _, err := c.Family(t.Context(), "nlctrl"); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

func TestManyGoroutines(t *testing.T) { onBoth(t, manyGoroutines) }

func manyGoroutines(t *testing.T, w world) {
	c := w.client(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 100 {
				if i%2 == 0 {
					if f, err := c.Family(t.Context(), "nlctrl"); err != nil || f.ID != genlmsg.IDCtrl {
						t.Errorf("%+v, %v", f, err)
					}
				} else if all, err := c.Families(t.Context()); err != nil || len(all) == 0 {
					t.Errorf("%d families, %v", len(all), err)
				}
			}
		})
	}
	wg.Wait()
}

// A context that has ended causes no request. A context that ends meanwhile leaves the
// client usable.
func TestContexts(t *testing.T) { onBoth(t, contexts) }

func contexts(t *testing.T, w world) {
	c := w.client(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Families(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(cancel)
		if all, err := c.Families(ctx); err == nil && len(all) == 0 || err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("%d families, %v", len(all), err)
		}
		wg.Wait()
		if _, err := c.Family(t.Context(), "nlctrl"); err != nil {
			t.Fatalf("after a cancelled request: %v", err)
		}
	}
}

// The caller keeps the Conn of New.
func TestNew(t *testing.T) { onBoth(t, overAConn) }

func overAConn(t *testing.T, w world) {
	over := w.open(t)
	c := New(over)
	if f, err := c.Family(t.Context(), "nlctrl"); f.ID != genlmsg.IDCtrl || err != nil || c.Conn() != over {
		t.Errorf("%+v, %v", f, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Family(t.Context(), "nlctrl"); err != nil {
		t.Errorf("the Conn of New after Close: %v", err)
	}
}

func TestAClosedClient(t *testing.T) { onBoth(t, aClosedClient) }

func aClosedClient(t *testing.T, w world) {
	c := w.client(t)
	c.Close()
	if _, err := c.Family(t.Context(), "nlctrl"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// resolve looks a family up with only a Transport and the codec.
func resolve(s conn.Transport, buf []byte, name string) (id uint16, err error) {
	b := nlmsg.Begin(buf[:0], genlmsg.IDCtrl, nlmsg.FlagRequest, 1, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, name)
	if err := s.Send(nlmsg.End(b, 0)); err != nil {
		return 0, err
	}
	n, _, err := s.Receive(buf)
	if err != nil {
		return 0, err
	}
	reply, n := nlmsg.Consume(buf[:n])
	if n < 0 {
		return 0, nlmsg.ParseError(n)
	}
	return nla.Find(genlmsg.Attrs(reply, 0), genlmsg.CtrlAttrFamilyID).Uint16()
}

func TestResolveAllocatesNothing(t *testing.T) { onBoth(t, resolveAllocatesNothing) }

func resolveAllocatesNothing(t *testing.T, w world) {
	if _, isBus := w.(busWorld); isBus && guard.Race {
		t.Skip("the race detector makes the bus's sync.Pool allocate")
	}
	s := w.transport(t)
	defer s.Close()
	buf := make([]byte, socket.BufferSize)
	allocs := testing.AllocsPerRun(100, func() {
		if id, err := resolve(s, buf, "nlctrl"); id != genlmsg.IDCtrl || err != nil {
			t.Errorf("id %d, %v", id, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}

// A Resolver returns every family as in the list.
func TestResolverKnowsAll(t *testing.T) { onBoth(t, resolverKnowsAll) }

func resolverKnowsAll(t *testing.T, w world) {
	c := w.open(t)
	r, err := NewResolver(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	families, err := New(c).Families(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, want := range families {
			got, err := r.Family(t.Context(), want.Name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("-listed +resolved:\n%s", diff)
			}
		}
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := r.ID(ctx, "nlctrl"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a name that is known", n)
	}
}

// calls is a Transport that counts calls.
type calls struct {
	conn.Transport
	sends, receives, waits int
}

func (c *calls) Send(b []byte) error {
	c.sends++
	return c.Transport.Send(b)
}

func (c *calls) TryReceive(b []byte) (int, socket.Info, error) {
	c.receives++
	return c.Transport.TryReceive(b)
}

func (c *calls) Receive(b []byte) (int, socket.Info, error) {
	c.waits++
	return c.Transport.Receive(b)
}

// A lookup is one send and one receive, which never waits: the answer is queued when the
// send returns.
func TestResolveTakesTwoCalls(t *testing.T) { onBoth(t, resolveTakesTwoCalls) }

func resolveTakesTwoCalls(t *testing.T, w world) {
	counted := &calls{Transport: w.transport(t)}
	over := conn.New(counted)
	defer over.Close()
	c := New(over)
	const lookups = 1000
	for range lookups {
		if _, err := c.Family(t.Context(), "nlctrl"); err != nil {
			t.Fatal(err)
		}
	}
	if counted.sends != lookups || counted.receives != lookups || counted.waits != 0 {
		t.Errorf("%d lookups: %d sends, %d receives, %d that waited", lookups, counted.sends, counted.receives, counted.waits)
	}
}

// The zero values return errors.
func TestZeroValues(t *testing.T) {
	ctx := t.Context()
	var c Client
	var r Resolver
	f := &Family{Name: "f", ID: 0x20, Ops: []Op{{ID: 1}}}
	for name, err := range map[string]error{
		"Client.Family":     second(c.Family(ctx, "f")),
		"Client.FamilyByID": second(c.FamilyByID(ctx, 0x20)),
		"Client.Families":   second(c.Families(ctx)),
		"Client.OpPolicy":   second(c.OpPolicy(ctx, 0x20, 1)),
		"Client.Policies":   second(c.Policies(ctx, f)),
		"Client.Check":      c.Check(ctx, nlmsg.End(genlmsg.Append(nlmsg.Begin(nil, 0x20, nlmsg.FlagRequest, 1, 0), 1, 1), 0)),
		"NewResolver":       second(NewResolver(&conn.Conn{})),
		"Resolver.Family":   second(r.Family(ctx, "f")),
		"Resolver.ID":       second(r.ID(ctx, "f")),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, err := range c.Watch(ctx) {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("Client.Watch: %v", err)
		}
	}
	r.Forget("f")
	r.ForgetAll()
	if err := c.Close(); err != nil {
		t.Errorf("Client.Close: %v", err)
	}
	if err := r.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Resolver.Close: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
