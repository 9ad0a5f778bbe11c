package runner

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// errAbsent is returned if a worker reports that the column is absent. The text contains the reason.
var errAbsent = errors.New("absent")

// timeout limits the time of a worker's answer.
const timeout = 2 * time.Minute

// A process is a running worker: one column of one case. ../worker/main.go documents the protocol.
type process struct {
	column string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner

	ops           int // operations in a round
	sum           uint64
	samples       []sample
	peak          int64   // peak resident memory in bytes
	allocs, bytes float64 // of ops operations; negative: not counted
}

// A sample is the result of one run.
type sample struct {
	ops int
	ns  int64
	sum uint64
}

// start starts a worker.
func start(program string, c *Case, column, file string) (*process, error) {
	p := &process{column: column, cmd: exec.Command(program, c.Name, column, file)}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := p.line()
	if why, ok := strings.CutPrefix(line, "absent "); ok && err == nil {
		_, err := p.stop()
		return nil, errors.Join(err, fmt.Errorf("%w: %s", errAbsent, why))
	}
	if err == nil && line != "ready" {
		err = fmt.Errorf("%s: %s", p.name(), line)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

func (p *process) name() string { return strings.Join(p.cmd.Args[1:], " ") }

// line reads an answer. After the timeout it kills the worker, which ends the output.
func (p *process) line() (string, error) {
	killer := time.AfterFunc(timeout, func() { _ = p.cmd.Process.Kill() })
	defer killer.Stop()
	if p.out.Scan() {
		return p.out.Text(), nil
	}
	return "", fmt.Errorf("%s: the worker ended or timed out: %w", p.name(), errors.Join(p.out.Err(), io.ErrUnexpectedEOF))
}

func (p *process) ask(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return "", err
	}
	return p.line()
}

// check returns the checksum of the complete result.
func (p *process) check() (sum uint64, err error) {
	line, err := p.ask("check")
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(line, "sum %x", &sum); err != nil {
		return 0, fmt.Errorf("%s: %q", p.name(), line)
	}
	return sum, nil
}

// run performs n operations.
func (p *process) run(n int) (s sample, err error) {
	line, err := p.ask("run %d", n)
	if err != nil {
		return s, err
	}
	s.ops = n
	if _, err = fmt.Sscanf(line, "ran %d %x", &s.ns, &s.sum); err != nil {
		return s, fmt.Errorf("%s: %q", p.name(), line)
	}
	return s, nil
}

// count counts the allocations of a round.
func (p *process) count() error {
	line, err := p.ask("count %d", p.ops)
	if err != nil {
		return err
	}
	if _, err := fmt.Sscanf(line, "allocated %g %g", &p.allocs, &p.bytes); err != nil {
		return fmt.Errorf("%s: %q", p.name(), line)
	}
	return nil
}

// stop ends the worker and returns its peak resident memory in bytes.
func (p *process) stop() (peak int64, err error) {
	if err := p.in.Close(); err != nil {
		return 0, err
	}
	for p.out.Scan() {
		if _, err := fmt.Sscanf(p.out.Text(), "peak %d", &peak); err != nil {
			p.kill()
			return 0, fmt.Errorf("%s: %q", p.name(), p.out.Text())
		}
	}
	return peak, p.cmd.Wait()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // reports that the process was killed
}
