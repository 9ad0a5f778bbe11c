package runner

import (
	"slices"
	"time"
)

// The two halves of a core share what computes. Where a machine is a part of a
// larger one, the other half is somebody else's, and while that works, code that does
// much in each cycle takes up to twice as long, and code that waits for memory as
// long as ever: no ratio of the two means anything. So each sample has a probe
// before and behind it, and a round counts for a column if both were quiet. Whether
// it does is known without the time that was measured.

// probes are those that each program had, in order.
type probes map[string][]int64

// see keeps a probe.
func (q probes) see(program string, probe int64) {
	at, _ := slices.BinarySearch(q[program], probe)
	q[program] = slices.Insert(q[program], at, probe)
}

const (
	// shorter is the part of its program's probes that a quiet one is not compared
	// with: that can be what is wrong with the clock.
	shorter = 0.05
	// tolerance is how much longer than the next one it may be. Quiet ones differ by
	// 2 %, and with company they take 1.2 to 1.8 times as long.
	tolerance = 1.06
)

// quiet returns the samples of a process with quiet probes.
func (q probes) quiet(p *process) (quiet []sample) {
	all := q[p.program]
	if len(all) == 0 {
		return nil
	}
	limit := int64(tolerance * float64(all[int(shorter*float64(len(all)))]))
	for _, s := range p.samples {
		if s.probe <= limit {
			quiet = append(quiet, s)
		}
	}
	return quiet
}

// patience is how long an input is measured for as many quiet rounds of each column
// as the case wants, and fewest how many of them are better than all rounds.
const (
	patience = 15 * time.Second
	fewest   = 10
)

// more reports whether there is to be another round.
func (r *run) more(c *Case, round int, began time.Time, processes []*process) bool {
	if round < c.Rounds || c.single() {
		return round < c.Rounds
	}
	return time.Since(began) < patience && !r.probes.enough(processes, c.Rounds)
}

// single reports whether a round is one operation. It may be longer than the machine
// stays as it is, and takes it as it comes.
func (c *Case) single() bool { return c.Round == 0 }

// enough reports whether every column has that many quiet rounds.
func (q probes) enough(processes []*process, rounds int) bool {
	for _, p := range processes {
		if len(q.quiet(p)) < rounds {
			return false
		}
	}
	return true
}

// keep sets aside the samples that do not count. Where one column has too few quiet
// ones, those of all columns count: quiet times must not be set against others.
func (r *run) keep(c *Case, in *input, processes []*process) {
	if c.single() {
		return
	}
	if !r.probes.enough(processes, fewest) {
		r.note("%s of %s: not quiet for long enough, all rounds count", c.Name, in.name)
		return
	}
	for _, p := range processes {
		quiet := r.probes.quiet(p)
		p.setAside = len(p.samples) - len(quiet)
		p.samples = quiet
	}
}
