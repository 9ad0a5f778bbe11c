// Package runner has the columns of a case do the same work in turns, and compares
// what came of it.
package runner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nlwire/nlwire/bench/report"
)

// Options say how to run.
type Options struct {
	Source string    // directory of the bench module
	Smoke  bool      // every case and column once, to see that it works
	Only   string    // name of the one case to run, or ""
	Log    io.Writer // progress
}

// run is a run under way.
type run struct {
	Options
	dir      string // for programs and inputs
	programs programs
	kernel   *kernel // nil: there is none to use
	probes   probes
	measured []measured
	rows     []report.Row
	details  report.Details
}

// A measured input waits for its rows until the end, when it is known what is quiet.
type measured struct {
	kase      *Case
	input     *input
	processes []*process
}

// Run runs all cases.
func Run(o Options) ([]report.Row, *report.Details, error) {
	dir, err := os.MkdirTemp("", "nlwire-bench-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	r := &run{Options: o, dir: dir, probes: probes{}}
	if r.programs, err = build(o.Source, dir); err != nil {
		return nil, nil, err
	}
	if r.kernel, err = newKernel(); err != nil {
		return nil, nil, fmt.Errorf("the live cases need root: %w", err)
	}
	defer r.kernel.Close()
	if err := mountTracing(); err != nil {
		r.note("system calls are not counted: %v", err)
	}
	r.describe()
	for i := range Cases {
		if c := Cases[i]; o.Only == "" || o.Only == c.Name {
			if err := r.kase(&c); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	r.conclude()
	return r.rows, &r.details, nil
}

// conclude makes the rows.
func (r *run) conclude() {
	for _, m := range r.measured {
		r.keep(m)
		for _, p := range m.processes {
			r.row(m, p)
		}
	}
	report.Compare(r.rows, &r.details)
}

func (r *run) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.details.Notes, text) {
		r.details.Notes = append(r.details.Notes, text)
	}
}

func (r *run) kase(c *Case) error {
	if r.Smoke {
		c.Rounds, c.Round = 1, 0
	}
	for _, name := range c.Inputs {
		in, err := r.prepare(c, name)
		if err != nil {
			return err
		}
		if err := r.input(c, in); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// starts is how often the workers of an input are started: where the memory of a
// process lies makes 1 or 2 %.
const starts = 3

func (c *Case) starts() int {
	if c.single() {
		return 1
	}
	return starts
}

// input runs every column of a case on one input.
func (r *run) input(c *Case, in *input) error {
	began := time.Now()
	all, err := r.pass(c, in)
	if err != nil {
		return err
	}
	for range c.starts() - 1 {
		again, err := r.pass(c, in)
		if err != nil {
			return err
		}
		for i, p := range again { // absent columns are absent again
			all[i].samples = append(all[i].samples, p.samples...)
			all[i].peak = max(all[i].peak, p.peak)
		}
	}
	for _, p := range all {
		if p.counted, err = r.count(c, in, p); err != nil {
			return err
		}
	}
	r.measured = append(r.measured, measured{c, in, all})
	fmt.Fprintf(r.Log, "%-14s %-10s %2d columns, %.1f s\n", c.Name, in.name, len(all), time.Since(began).Seconds())
	return nil
}

// pass starts the workers and times them for their part of the rounds.
func (r *run) pass(c *Case, in *input) (processes []*process, err error) {
	processes, err = r.start(c, in)
	defer func() {
		for _, p := range processes {
			p.kill()
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := r.check(processes, in); err != nil {
		return nil, err
	}
	for _, p := range processes {
		if err := r.calibrate(c, p); err != nil {
			return nil, err
		}
	}
	if err := r.rounds(c, in, processes); err != nil {
		return nil, err
	}
	for _, p := range processes {
		if p.peak, err = p.stop(); err != nil {
			return nil, err
		}
	}
	return processes, nil
}

// start starts a worker for each column there is.
func (r *run) start(c *Case, in *input) (all []*process, err error) {
	for _, column := range c.Columns {
		program := r.programs.of(column)
		reason := program.why
		if reason == "" {
			p, err := start(program.path, c, column, in.file, nil)
			if err == nil {
				all = append(all, p)
				continue
			}
			if !errors.Is(err, errAbsent) {
				return all, err
			}
			reason = strings.TrimPrefix(err.Error(), errAbsent.Error()+": ")
		}
		a := report.Absence{Case: c.Name, Input: in.name, Column: column, Reason: reason}
		if !slices.Contains(r.details.Absent, a) {
			r.details.Absent = append(r.details.Absent, a)
		}
	}
	return all, nil
}

// check compares what the columns make of the input.
func (r *run) check(processes []*process, in *input) error {
	if err := in.refill(); err != nil {
		return err
	}
	var first *process
	for _, p := range processes {
		sum, err := p.check()
		if err != nil {
			return err
		}
		p.sum = sum
		switch {
		case !comparable(p.column):
		case first == nil:
			first = p
		case sum != first.sum:
			return fmt.Errorf("checksum %x of %s, %x of %s", sum, p.column, first.sum, first.column)
		}
	}
	return nil
}

// calibrate finds out how many operations fill a round. It also warms up.
func (r *run) calibrate(c *Case, p *process) error {
	if c.single() {
		p.ops = 1
		return nil
	}
	for p.ops = 1; ; p.ops *= 2 {
		took, err := r.shortest(p)
		if err != nil {
			return err
		}
		if took >= c.Round/2 {
			p.ops = max(1, int(float64(p.ops)*float64(c.Round)/float64(took)))
			return nil
		}
	}
}

// shortest returns the least time of some runs: one that was interrupted would make
// rounds of few operations, which are mostly waking up.
func (r *run) shortest(p *process) (least time.Duration, err error) {
	for i := range calibrations {
		s, err := r.timed(p)
		if err != nil {
			return 0, err
		}
		if took := time.Duration(s.ns); i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

// calibrations is how many runs that is.
const calibrations = 5

// rounds times the columns in turns, for one start of them. Each round begins with
// another of them.
func (r *run) rounds(c *Case, in *input, processes []*process) error {
	began := time.Now()
	for round := 0; r.more(c, round, began, processes); round++ {
		if err := in.refill(); err != nil {
			return err
		}
		for i := range processes {
			p := processes[(i+round)%len(processes)]
			s, err := r.timed(p)
			if err != nil {
				return err
			}
			p.samples = append(p.samples, s)
		}
	}
	return compareSums(processes)
}

// timed does the operations of a round, and sees how quiet it was.
func (r *run) timed(p *process) (sample, error) {
	s, err := p.run(p.ops)
	if err == nil {
		r.probes.see(p.program, s.probe)
	}
	return s, err
}

// compareSums compares what one operation of every column gave, which is the same
// in each round.
func compareSums(processes []*process) error {
	var first *process
	for _, p := range processes {
		if !comparable(p.column) {
			continue
		}
		if first == nil {
			first = p
		}
		for _, s := range p.samples {
			if one := first.samples[0]; s.sum*uint64(one.ops) != one.sum*uint64(s.ops) {
				return fmt.Errorf("sum %x of %d by %s, %x of %d by %s",
					s.sum, s.ops, p.column, one.sum, one.ops, first.column)
			}
		}
	}
	return nil
}

// row makes the row of a column.
func (r *run) row(m measured, p *process) {
	c, in, counted := m.kase, m.input, p.counted
	var times []float64
	for _, s := range p.samples {
		times = append(times, float64(s.ns)/float64(s.ops*in.units))
	}
	perUnit := func(v float64) float64 { return round(v / float64(counted.ops*in.units)) }
	row := report.Row{
		Case: c.Name, Input: in.name, Column: p.column,
		NsOp: report.Median(times), NsAttr: report.Median(times) / in.attrs,
		AllocsOp: perUnit(float64(counted.allocs)), BytesOp: perUnit(float64(counted.bytes)), PeakRSS: p.peak,
	}
	if counted.systemCalls >= 0 {
		calls := perUnit(float64(counted.systemCalls))
		row.SyscallsOp = &calls
	}
	row.NsOp, row.NsAttr = report.Round(row.NsOp), report.Round(row.NsAttr)
	r.rows = append(r.rows, row)
	r.details.Rows = append(r.details.Rows, report.Detail{
		Case: c.Name, Input: in.name, Column: p.column, Rounds: times, Counted: len(times), SetAside: p.setAside,
		Least: report.Round(slices.Min(times)), Greatest: report.Round(slices.Max(times)),
		Quartile: [2]float64{report.Round(report.Quantile(times, 0.25)), report.Round(report.Quantile(times, 0.75))},
		Checksum: fmt.Sprintf("%x", p.sum), Attrs: in.attrs,
	})
}

// round keeps two decimals of a count.
func round(v float64) float64 { return float64(int64(v*100+0.5)) / 100 }

// count has a worker of the counting build run some operations, and takes the run
// with the fewest system calls: what is above that came from the clock.
func (r *run) count(c *Case, in *input, timed *process) (least sample, err error) {
	var p *process
	err = withThread(func() (err error) {
		counter, err := openCounter()
		if err != nil {
			r.note("system calls are not counted: %v", err)
		} else {
			defer counter.Close()
		}
		p, err = start(r.programs.of(timed.column).counting, c, timed.column, in.file, counter)
		return err
	})
	if err != nil {
		return least, err
	}
	defer p.kill()
	for i := range countRuns {
		if err := in.refill(); err != nil {
			return least, err
		}
		s, err := p.count(countedOps(c, timed))
		if err != nil {
			return least, err
		}
		switch {
		case i == 0: // warms up
		case i == 1:
			least = s
		default:
			least.systemCalls = min(least.systemCalls, s.systemCalls)
			least.allocs, least.bytes = min(least.allocs, s.allocs), min(least.bytes, s.bytes)
		}
	}
	return least, nil
}

// countRuns is how often operations are counted, the first not.
const countRuns = 4

// countedOps is how many operations are counted: enough to see little of what the Go
// runtime does by itself.
func countedOps(c *Case, timed *process) int {
	if c.single() {
		return timed.ops
	}
	return max(timed.ops, 20)
}

// path is that of a file that this run makes.
func (r *run) path(name string) string { return filepath.Join(r.dir, name) }
