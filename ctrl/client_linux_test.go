package ctrl

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/socket"
)

// resolves is the number of lookups in the child process of TestResolveTakesTwoSyscalls.
const resolves = 1000

// A lookup is one send and one receive: the kernel answers within the send.
func TestResolveTakesTwoSyscalls(t *testing.T) {
	if os.Getenv("NLWIRE_RESOLVE") != "" {
		c := kernel{}.client(t)
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
	waits := calls["epoll_wait"] + calls["epoll_pwait"] + calls["poll"] + calls["ppoll"]
	if waits > resolves/10 && !guard.Race { // with the race detector a sync.Pool drops buffers, and the garbage collector waits
		t.Errorf("%d lookups waited %d times: %v", resolves, waits, calls)
	}
}

func BenchmarkResolve(b *testing.B) {
	s, err := socket.Open(socket.Generic)
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

// BenchmarkFamily looks a family up by name, compared with the bare exchange of the same
// request.
func BenchmarkFamily(b *testing.B) {
	for _, name := range []string{"nlctrl", "ethtool"} {
		b.Run(name, func(b *testing.B) {
			over := openKernel(b)
			c, ctx := New(over), b.Context()
			r := c.request(genlmsg.CtrlCmdGetFamily)
			defer r.Release()
			r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
			kerneltest.Interleave(b, 100, "x/do", func() {
				if _, err := c.Family(ctx, name); err != nil {
					b.Fatal(err)
				}
			}, func() {
				if _, err := over.Do(ctx, r); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// A lookup allocates the family, and nothing for errors that do not occur.
func TestFamilyAllocations(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector makes sync.Pool allocate")
	}
	over := openKernel(t)
	c, ctx := New(over), t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := c.Family(ctx, "nlctrl"); err != nil {
			t.Fatal(err)
		}
	}); n > 4 {
		t.Errorf("%v allocations, want 4: the name, the operations, the groups, their names", n)
	}
}

// BenchmarkResolveCached looks up cached names, compared with a map that is only read.
func BenchmarkResolveCached(b *testing.B) {
	c, err := conn.Open(socket.Generic)
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
