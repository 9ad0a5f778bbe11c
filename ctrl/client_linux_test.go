package ctrl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func open(t *testing.T) *Client {
	t.Helper()
	c, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// openIn opens a Conn in a network namespace.
func openIn(t *testing.T, netNS int) *conn.Conn {
	t.Helper()
	c, err := conn.Open(socket.Generic, socket.WithNetNS(netNS))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// The three ways to ask agree, family by family.
func TestFamiliesAgree(t *testing.T) {
	c := open(t)
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

func TestUnknownFamilies(t *testing.T) {
	c := open(t)
	for _, name := range []string{"nosuch", "nlctr", "nlctrl2", strings.Repeat("x", 15), "802.15.4 \xff"} {
		_, err := c.Family(t.Context(), name)
		var refused *conn.Error
		if !errors.Is(err, unix.ENOENT) || !errors.Is(err, ErrUnknown) || !errors.As(err, &refused) || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := c.FamilyByID(t.Context(), 0x3ff); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "1023") {
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

func TestManyGoroutines(t *testing.T) {
	c := open(t)
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

// A context that has ended costs nothing; one that ends meanwhile leaves the
// client usable.
func TestContexts(t *testing.T) {
	c := open(t)
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

// Over a Conn that stays the caller's.
func TestNew(t *testing.T) {
	over, err := conn.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer over.Close()
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

func TestAClosedClient(t *testing.T) {
	c := open(t)
	c.Close()
	if _, err := c.Family(t.Context(), "nlctrl"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// resolve is a lookup with nothing but the socket and the codec.
func resolve(s *socket.Socket, buf []byte, name string) (id uint16, err error) {
	b, m := nlmsg.Begin(buf[:0], genlmsg.IDCtrl, nlmsg.Request, 1, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, name)
	if err := s.Send(nlmsg.End(b, m)); err != nil {
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

func TestResolveAllocatesNothing(t *testing.T) {
	s, err := socket.Open(unix.NETLINK_GENERIC)
	if err != nil {
		t.Fatal(err)
	}
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

// resolves is how often the child of TestResolveTakesTwoSyscalls looks up.
const resolves = 1000

// A lookup is one send and one receive: the kernel answers within the send.
func TestResolveTakesTwoSyscalls(t *testing.T) {
	if os.Getenv("NLWIRE_RESOLVE") != "" {
		c := open(t)
		for range resolves {
			if _, err := c.Family(t.Context(), "nlctrl"); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must install strace: ", err)
		}
		t.Skip("needs strace: ", err)
	}
	trace := t.TempDir() + "/trace"
	cmd := exec.Command(strace, "-f", "-o", trace, "-e", "trace=network,read,write,poll,ppoll,epoll_wait,epoll_pwait,epoll_ctl",
		os.Args[0], "-test.run", "^TestResolveTakesTwoSyscalls$")
	cmd.Env = append(os.Environ(), "NLWIRE_RESOLVE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("ptrace")) || bytes.Contains(out, []byte("PTRACE")) {
			t.Skipf("strace may not trace here: %s", out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if _, call, ok := strings.Cut(line, " "); ok {
			name, _, _ := strings.Cut(strings.TrimSpace(call), "(")
			calls[name]++
		}
	}
	if sends := calls["sendto"] + calls["sendmsg"]; sends != resolves || calls["recvmsg"]+calls["recvfrom"] != resolves {
		t.Errorf("%d lookups made these calls: %v", resolves, calls)
	}
	if waits := calls["epoll_wait"] + calls["epoll_pwait"] + calls["poll"] + calls["ppoll"]; waits > resolves/10 {
		t.Errorf("%d lookups waited %d times: %v", resolves, waits, calls)
	}
}

func BenchmarkResolve(b *testing.B) {
	s, err := socket.Open(unix.NETLINK_GENERIC)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	buf := make([]byte, socket.BufferSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resolve(s, buf, "nlctrl"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFamily(b *testing.B) {
	c, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Family(b.Context(), "ethtool"); err != nil {
			b.Fatal(err)
		}
	}
}

// A Resolver on the live kernel, for every family.
func TestResolverOnTheKernel(t *testing.T) {
	c, err := conn.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
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

// BenchmarkResolveCached looks names up that are known, against a map that is
// only read.
func BenchmarkResolveCached(b *testing.B) {
	c, err := conn.Open(16)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	r, err := NewResolver(c)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	families, err := New(c).Families(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	plain := map[string]*Family{}
	var names []string
	for _, f := range families {
		known, err := r.Family(b.Context(), f.Name)
		if err != nil {
			b.Fatal(err)
		}
		plain[f.Name] = known
		names = append(names, f.Name)
	}
	ctx := b.Context()
	var sum uint64
	kerneltest.Interleave(b, 100, "x/map", func() {
		for _, name := range names {
			f, err := r.Family(ctx, name)
			if err != nil {
				b.Fatal(err)
			}
			sum += uint64(f.ID)
		}
	}, func() {
		for _, name := range names {
			sum -= uint64(plain[name].ID)
		}
	})
	if sum != 0 {
		b.Fatal(sum)
	}
}
