package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// make compiles the worker and checks the implementation in it.
func (b build) make(path string) error {
	cmd := exec.Command("go", "build", "-modfile="+b.modfile, "-o", path, "./worker")
	// The newest socket module requires a newer Go than this project.
	cmd.Env, cmd.Stderr = append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=auto"), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", b.modfile, err)
	}
	out, err := exec.Command(path, "-about").Output()
	if err != nil {
		return err
	}
	netlink, socket := "", ""
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch f[0] {
		case "github.com/mdlayher/netlink":
			netlink = f[1] + " " + f[2]
		case "github.com/mdlayher/socket":
			socket = f[1] + " " + f[2]
		}
	}
	wantSocket := ""
	if b.socket != "" {
		wantSocket = b.socket + " -"
	}
	if netlink != "v1.11.2 "+b.netlink || socket != wantSocket {
		return fmt.Errorf("%s: built with netlink %q and socket %q, not with %q", b.modfile, netlink, socket, b.name)
	}
	return nil
}

// A worker is a running build.
type worker struct {
	path string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// start starts a worker in a new network namespace.
func start(path string) (*worker, error) {
	w := &worker{path: path, cmd: exec.Command("unshare", "--net", path)}
	w.cmd.Stderr = os.Stderr
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	return w, w.cmd.Start()
}

// stop ends the worker.
func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Wait() // run has reported the error
}

// run runs a case n times.
func (w *worker) run(name string, n int) (nanoseconds, allocs float64, err error) {
	if _, err := fmt.Fprintln(w.in, name, n); err != nil {
		return 0, 0, err
	}
	if _, err := fmt.Fscanln(w.out, &nanoseconds, &allocs); err != nil {
		return 0, 0, fmt.Errorf("%s: no result: %w", name, err)
	}
	return nanoseconds / float64(n), allocs / float64(n), nil
}

// receives counts the receive calls of one run of a case with strace. It returns 0 if strace is not
// installed.
func (w *worker) receives(name string) (n int, err error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return 0, nil
	}
	count := func(input string) (int, error) {
		cmd := exec.Command("unshare", "--net", strace, "-f", "-qq", "-e", "trace=recvfrom,recvmsg,recvmmsg", w.path)
		cmd.Stdin = strings.NewReader(input)
		var log strings.Builder
		cmd.Stderr = &log
		err := cmd.Run()
		// strace prints an interrupted call in two lines. The second is "<... recvfrom resumed>".
		return strings.Count(log.String(), "recv") - strings.Count(log.String(), " resumed>"), err
	}
	// The first run of a case includes its setup and a warm-up. The difference is one run.
	one, err := count(name + " 1\n")
	if err != nil {
		return 0, err
	}
	two, err := count(name + " 1\n" + name + " 1\n")
	return two - one, err
}
