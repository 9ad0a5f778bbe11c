// Command worker measures one column of one case. The runner starts one process for each column and
// runs them in turn. The C programs in ../c use the same protocol.
//
//	worker CASE COLUMN FILE
//
// The worker prints "ready" or "absent REASON". Then it answers the lines of its standard input:
//
//	check    sum SUM                 checksum of the complete result
//	run N    ran NS SUM              time and checksum of N operations
//	count N  allocated ALLOCS BYTES  by N operations; -1 -1 if not counted
//
// At the end of its input it prints "peak BYTES", its peak resident memory.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/nlwire/nlwire/bench/input"
)

// ne is the byte order of netlink.
var ne = binary.NativeEndian

func main() {
	if err := work(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// A task is one column of one case.
type task struct {
	// run performs n operations and returns the sum of their checksums.
	run func(n int) (sum uint64, err error)
	// check returns the checksum of the complete result. If check is nil, run(1) returns it.
	check func() (sum uint64, err error)
	// took returns the time to report for the last run. If it is nil, the duration of run counts.
	took func() time.Duration
}

// A column creates its task for an input.
type column func(in *input.Set) (task, error)

// absent is the reason why a column lacks a case.
type absent string

func (a absent) Error() string { return string(a) }

func work(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: worker CASE COLUMN FILE, not %q", args)
	}
	if err := checkRivals(); err != nil {
		return err
	}
	t, err := open(args[0], args[1], args[2])
	if why, ok := err.(absent); ok {
		fmt.Fprintln(out, "absent", string(why))
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := t.answer(out, lines.Text()); err != nil {
			return err
		}
	}
	peak, err := peakRSS()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "peak", peak)
	return lines.Err()
}

func open(kase, name, file string) (task, error) {
	columns, ok := cases[kase]
	if !ok {
		return task{}, fmt.Errorf("unknown case %q", kase)
	}
	make, ok := columns[name]
	if !ok {
		return task{}, fmt.Errorf("unknown column %q in case %s", name, kase)
	}
	set := &input.Set{}
	if file != "-" {
		var err error
		if set, err = input.Read(file); err != nil {
			return task{}, err
		}
	}
	return make(set)
}

func (t task) answer(out io.Writer, line string) error {
	if line == "check" {
		sum, err := t.checksum()
		if err == nil {
			_, err = fmt.Fprintf(out, "sum %x\n", sum)
		}
		return err
	}
	var command string
	var n int
	if _, err := fmt.Sscanf(line, "%s %d", &command, &n); err != nil {
		return fmt.Errorf("unknown command: %q", line)
	}
	switch command {
	case "run":
		start := time.Now()
		sum, err := t.run(n)
		took := time.Since(start)
		if t.took != nil {
			took = t.took()
		}
		if err == nil {
			_, err = fmt.Fprintf(out, "ran %d %x\n", took.Nanoseconds(), sum)
		}
		return err
	case "count":
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := t.run(n); err != nil {
			return err
		}
		runtime.ReadMemStats(&after)
		_, err := fmt.Fprintf(out, "allocated %d %d\n", after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc)
		return err
	}
	return fmt.Errorf("unknown command: %q", line)
}

func (t task) checksum() (uint64, error) {
	if t.check != nil {
		return t.check()
	}
	return t.run(1)
}

// peakRSS returns the peak resident memory of this process in bytes.
func peakRSS() (int64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status has no VmHWM")
}
