package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/usersock"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/socket"
)

// process is a running nlctl in a separate process.
type process struct {
	*exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(program, args...)}
	p.Env = append(os.Environ(), envMain+"=1")
	p.Stderr = &p.stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // usually it has already ended
	return p
}

// line reads a line of the standard output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v, stderr %q", err, p.stderr.String())
	}
	return strings.TrimSpace(s)
}

// end sends a signal to the process and returns its exit status.
func (p *process) end(t *testing.T, s os.Signal) int {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, p.out)
	_ = p.Wait() // the exit status is returned below
	return p.ProcessState.ExitCode()
}

// decode can be interrupted while it reads from a pipe.
func TestDecodeIsInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "decode", path)
	w, err := os.OpenFile(path, os.O_WRONLY, 0) // waits for the reader
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(recorded[:1000]); err != nil {
		t.Fatal(err)
	}
	if line := p.line(t); !strings.HasPrefix(line, "1  route, 32 bytes") {
		t.Errorf("%q", line)
	}
	p.end(t, os.Interrupt)
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
		t.Errorf("status %v, stderr %q", status, p.stderr.String())
	}
}

func TestServeBetweenProcesses(t *testing.T) {
	server := start(t, "serve", "-example")
	port := server.line(t)
	if _, err := strconv.ParseUint(port, 10, 32); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"list":                             "\nDOC_EXMPL  19  1 ",
		"show DOC_EXMPL":                   "  2  doc_events\n",
		"policy DOC_EXMPL":                 "  1  nul-string of at most 256 bytes\n",
		"call DOC_EXMPL 1 1=hello":         "  1  nul-string  \"hello\"\n",
		"call DOC_EXMPL 1 -dump":           "\"dump entry number 199\"\n",
		"call nlctrl 10 -dump 2=nlctrl":    "getpolicy\n  family-id  16\n",
		"show --generate-shell-completion": "DOC_EXMPL\n",
	} {
		code, stdout, stderr := nlctl(t, append([]string{"-bus", port}, strings.Fields(args)...)...)
		if code != exitOK || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("nlctl -bus %s %s: exit %d, stdout %q, stderr %q", port, args, code, stdout, stderr)
		}
	}
	if code, _, stderr := nlctl(t, "serve", "-port", port); code != exitError || !strings.Contains(stderr, "is taken") {
		t.Errorf("a second server on port %s: exit %d, stderr %q", port, code, stderr)
	}
	if code := server.end(t, os.Interrupt); code != exitOK || server.stderr.Len() > 0 {
		t.Errorf("exit %d, stderr %q", code, server.stderr.String())
	}
	if code, _, stderr := nlctl(t, "-bus", port, "list"); code != exitError || !strings.Contains(stderr, "no socket has that port ID") {
		t.Errorf("without a server: exit %d, stderr %q", code, stderr)
	}
}

// A monitor ends with an error when its server ends, for any reason.
func TestMonitorOverAServerThatEnds(t *testing.T) {
	server := start(t, "serve", "-json")
	var reported struct{ Port uint32 }
	if err := json.Unmarshal([]byte(server.line(t)), &reported); err != nil || reported.Port == 0 {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(t.Context(), []string{"nlctl", "-bus", strconv.Itoa(int(reported.Port)), "monitor"}, &out, &errs)
	}()
	if code := server.end(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("exit %d", code)
	}
	if code := <-code; code != exitError || !strings.Contains(errs.String(), "refused") {
		t.Errorf("exit %d, stderr %q", code, errs.String())
	}
}

// serveHere serves a bus from this process until the test ends.
func serveHere(t *testing.T) (b *bus.Bus, portID uint32) {
	t.Helper()
	s, err := socket.Open(socket.UserSock)
	if err != nil {
		t.Fatal(err)
	}
	b = bus.New()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- usersock.NewServer(b, s).Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.Close()
	})
	return b, s.PortID()
}

func TestMonitorOverABus(t *testing.T) {
	b, portID := serveHere(t)
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		var errs bytes.Buffer
		code <- run(ctx, []string{"nlctl", "-bus", strconv.Itoa(int(portID)), "monitor", "-json"}, w, &errs)
		w.Close()
	}()
	arrived := make(chan event, 1)
	go func() {
		var e event
		_ = json.NewDecoder(r).Decode(&e)
		arrived <- e
		_, _ = io.Copy(io.Discard, r)
	}()
	f := &bus.Family{Name: "comes\x1b", Ops: []bus.Op{{Cmd: 1, Do: func(*bus.Info) error { return nil }}}}
	var e event
	for e.Event == "" { // until the monitor listens
		if err := b.Register(f); err != nil {
			t.Fatal(err)
		}
		if err := b.Unregister(f); err != nil {
			t.Fatal(err)
		}
		select {
		case e = <-arrived:
		default:
		}
	}
	if !strings.HasSuffix(e.Event, "-family") || e.Family.Name != f.Name {
		t.Errorf("%+v", e)
	}
	stop()
	if code := <-code; code != exitOK {
		t.Errorf("exit %d", code)
	}
}

// Random datagrams to the port of a server do not end it.
func TestServeSurvivesRubbish(t *testing.T) {
	server := start(t, "serve", "-example")
	port := server.line(t)
	portID, err := strconv.ParseUint(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	s, err := socket.Open(socket.UserSock)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		b := make([]byte, 1+random.IntN(300))
		for i := range b {
			b[i] = byte(random.Uint32() >> random.IntN(32))
		}
		if len(b) > 7 && random.IntN(2) == 0 {
			b[0], b[1], b[2], b[3], b[4], b[5] = byte(len(b)), byte(len(b)>>8), 0, 0, byte(random.IntN(32)), 0
		}
		if err := s.SendTo(b, socket.Addr{PortID: uint32(portID)}); err != nil {
			t.Fatal(err)
		}
	}
	if code, stdout, stderr := nlctl(t, "-bus", port, "call", "DOC_EXMPL", "1", "1=alive"); code != exitOK || !strings.Contains(stdout, `"alive"`) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	if code := server.end(t, os.Interrupt); code != exitOK {
		t.Errorf("exit %d, stderr %q", code, server.stderr.String())
	}
}

// Text from a family of another process is printed without control characters.
func TestHostileFamily(t *testing.T) {
	b, portID := serveHere(t)
	f := &bus.Family{Name: "evil\x1b[2J", Ops: []bus.Op{{Cmd: 1, Do: func(i *bus.Info) error {
		i.SetMsg("\x1b[2Jboo\nnlctl: all is well")
		return errno.EINVAL
	}}}}
	if err := b.Register(f); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := nlctl(t, "-bus", strconv.Itoa(int(portID)), "call", f.Name, "1")
	if code != exitError || stdout != "" || strings.ContainsAny(stderr, "\x1b") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
