// Package runner runs the columns of each case in turn, compares their checksums and records the
// times.
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

// Options are the settings of a run.
type Options struct {
	Source string    // directory of the bench module
	Smoke  bool      // run every case and column once, as a check
	Only   string    // run only this case; "": all cases
	Log    io.Writer // progress
}

// run is the state of a run.
type run struct {
	Options
	dir      string // for programs and inputs
	programs programs
	kernel   *kernel
	rows     []report.Row
	details  report.Details
}

// Run runs the cases. It requires root in a network namespace that nothing else uses.
func Run(o Options) ([]report.Row, *report.Details, error) {
	dir, err := os.MkdirTemp("", "nlwire-bench-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	r := &run{Options: o, dir: dir}
	if r.programs, err = build(o.Source, dir); err != nil {
		return nil, nil, err
	}
	if r.kernel, err = newKernel(); err != nil {
		return nil, nil, fmt.Errorf("setting up the kernel (requires root): %w", err)
	}
	defer r.kernel.Close()
	r.describe()
	for i := range Cases {
		if c := Cases[i]; o.Only == "" || o.Only == c.Name {
			if err := r.kase(&c); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	return r.rows, &r.details, nil
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

// starts is the number of passes of an input. Each pass starts new workers, because the memory layout
// of a process changes its times by 1 to 2 %.
const starts = 3

// single reports whether a round is one operation.
func (c *Case) single() bool { return c.Round == 0 }

// input runs all columns of a case on one input, in turn.
func (r *run) input(c *Case, in *input) error {
	began, times := time.Now(), starts
	if c.single() {
		times = 1
	}
	all, err := r.pass(c, in, c.Rounds/times)
	if err != nil {
		return err
	}
	for range times - 1 {
		again, err := r.pass(c, in, c.Rounds/times)
		if err != nil {
			return err
		}
		for i, p := range again { // in the same order: a column is absent in each pass or in none
			all[i].samples = append(all[i].samples, p.samples...)
			all[i].peak = max(all[i].peak, p.peak)
		}
	}
	for _, p := range all {
		r.row(c, in, p)
	}
	fmt.Fprintf(r.Log, "%-18s %-10s %2d columns, %.1f s\n", c.Name, in.name, len(all), time.Since(began).Seconds())
	return nil
}

// pass starts the workers, measures the given number of rounds, and stops the workers.
func (r *run) pass(c *Case, in *input, rounds int) (processes []*process, err error) {
	processes, err = r.start(c, in)
	defer func() {
		for _, p := range processes {
			p.kill()
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := check(processes, in); err != nil {
		return nil, err
	}
	for _, p := range processes {
		if err := calibrate(c, p); err != nil {
			return nil, err
		}
	}
	if err := measure(in, processes, max(rounds, 1)); err != nil {
		return nil, err
	}
	for _, p := range processes {
		if err := in.refill(); err != nil {
			return nil, err
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		if p.peak, err = p.stop(); err != nil {
			return nil, err
		}
	}
	return processes, nil
}

// start starts a worker for each available column and records the absent ones.
func (r *run) start(c *Case, in *input) (all []*process, err error) {
	for _, column := range c.Columns {
		program := r.programs.of(column)
		reason := program.why
		if reason == "" {
			p, err := start(program.path, c, column, in.file)
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

// check compares the complete checksums of all columns.
func check(processes []*process, in *input) error {
	if err := in.refill(); err != nil {
		return err
	}
	for _, p := range processes {
		sum, err := p.check()
		if err != nil {
			return err
		}
		if p.sum = sum; sum != processes[0].sum {
			return fmt.Errorf("checksum %x of %s, %x of %s", sum, p.column, processes[0].sum, processes[0].column)
		}
	}
	return nil
}

// calibrate determines the number of operations in a round. It also warms up the worker.
func calibrate(c *Case, p *process) error {
	p.ops = 1
	for !c.single() {
		took, err := shortest(p)
		if err != nil {
			return err
		}
		if took >= c.Round/2 {
			p.ops = max(1, int(float64(p.ops)*float64(c.Round)/float64(took)))
			return nil
		}
		p.ops *= 2
	}
	return nil
}

// calibrations is the number of runs in shortest.
const calibrations = 5

// shortest returns the minimum time of several runs. An interrupted run would make the rounds too
// short.
func shortest(p *process) (least time.Duration, err error) {
	for i := range calibrations {
		s, err := p.run(p.ops)
		if err != nil {
			return 0, err
		}
		if took := time.Duration(s.ns); i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

// measure times the columns in turn. Each round starts with the next column.
func measure(in *input, processes []*process, rounds int) error {
	for round := range rounds {
		if err := in.refill(); err != nil {
			return err
		}
		for i := range processes {
			p := processes[(i+round)%len(processes)]
			s, err := p.run(p.ops)
			if err != nil {
				return err
			}
			p.samples = append(p.samples, s)
		}
	}
	return compareSums(processes)
}

// compareSums checks that an operation has the same checksum in every column and round.
func compareSums(processes []*process) error {
	for _, p := range processes {
		for _, s := range p.samples {
			if one := processes[0].samples[0]; s.sum*uint64(one.ops) != one.sum*uint64(s.ops) {
				return fmt.Errorf("sum %x of %d by %s, %x of %d by %s",
					s.sum, s.ops, p.column, one.sum, one.ops, processes[0].column)
			}
		}
	}
	return nil
}

// row adds the row of a column to the results.
func (r *run) row(c *Case, in *input, p *process) {
	var times []float64
	for _, s := range p.samples {
		times = append(times, float64(s.ns)/float64(s.ops*in.units))
	}
	perUnit := func(v float64) *float64 {
		if v < 0 {
			return nil // not counted
		}
		v = float64(int64(v/float64(p.ops*in.units)*100+0.5)) / 100
		return &v
	}
	median := report.Median(times)
	r.rows = append(r.rows, report.Row{
		Case: c.Name, Input: in.name, Column: p.column,
		NsOp: report.Round(median), NsAttr: report.Round(median / in.attrs),
		AllocsOp: perUnit(p.allocs), BytesOp: perUnit(p.bytes), PeakRSS: p.peak,
		Spread: report.Round((report.Quantile(times, 0.75) - report.Quantile(times, 0.25)) / median / 2), Rounds: len(times),
	})
}

// path returns the path of a temporary file of the run.
func (r *run) path(name string) string { return filepath.Join(r.dir, name) }
