// Command worker measures one column of one case. The runner starts it, and the C
// programs in ../c, which speak the same lines, one for each column, and has them
// work in turns.
//
//	worker CASE COLUMN FILE
//
// It answers "ready", or "absent REASON"; then to lines on its standard input:
//
//	check    sum SUM                                  of everything that was decoded or encoded
//	run N    ran NS SUM ALLOCS BYTES SYSCALLS PROBE   of N operations; -1 for what was not counted
//	count N  the same, with what was allocated        which Go stops everything for: 0 in a run
//
// PROBE is the slower of two probes, one before and one behind: see probe.
// At the end of its input it tells "peak BYTES", the most memory it had resident.
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

	"golang.org/x/sys/unix"

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
	// run does n operations, and returns a checksum: the sum of what each gave.
	run func(n int) (sum uint64, err error)
	// check returns a checksum of everything; nil if that is run of 1.
	check func() (sum uint64, err error)
}

// A column makes its task for a case.
type column func(in *input.Set) (task, error)

// absent is why a column has no such case.
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
		return task{}, fmt.Errorf("no case %q", kase)
	}
	make, ok := columns[name]
	if !ok {
		return task{}, fmt.Errorf("no column %q in %s", name, kase)
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
	number, run := strings.CutPrefix(line, "run ")
	number, count := strings.CutPrefix(number, "count ")
	n, err := strconv.Atoi(number)
	if run == count || err != nil {
		return fmt.Errorf("not a command: %q", line)
	}
	var before, after runtime.MemStats
	if count {
		runtime.ReadMemStats(&before)
	}
	quiet := probe()
	calls := systemCalls()
	start := time.Now()
	sum, err := t.run(n)
	took := time.Since(start)
	calls = systemCalls() - calls - 1 // which is the read itself
	quiet = max(quiet, probe())
	if counter < 0 {
		calls = -1
	}
	if err != nil {
		return err
	}
	if count {
		runtime.ReadMemStats(&after)
	}
	_, err = fmt.Fprintf(out, "ran %d %x %d %d %d %d\n", took.Nanoseconds(), sum,
		after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc, calls, quiet)
	return err
}

func (t task) checksum() (uint64, error) {
	if t.check != nil {
		return t.check()
	}
	return t.run(1)
}

// counter is a perf event that counts the system calls of this process, -1 if the
// runner could not open one. The variable of the environment has its number.
var counter = func() int {
	fd, err := strconv.Atoi(os.Getenv("NLWIRE_BENCH_COUNTER"))
	if err != nil {
		return -1
	}
	return fd
}()

// systemCalls returns how many there were so far, this one not counted.
func systemCalls() int64 {
	var b [8]byte
	if counter >= 0 {
		if _, err := unix.Read(counter, b[:]); err != nil {
			panic(err)
		}
	}
	return int64(ne.Uint64(b[:]))
}

// peakRSS is the most memory that this process had resident, in bytes.
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
