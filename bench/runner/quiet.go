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

// quietest are the shortest probes that each program had, in order.
type quietest map[string][]int64

// shortest is how many of them are kept. The last of them is what quiet ones are
// compared with: a clock can be wrong for one.
const shortest = 10

// see keeps a probe if it is one of the shortest.
func (q quietest) see(program string, probe int64) {
	at, _ := slices.BinarySearch(q[program], probe)
	probes := slices.Insert(q[program], at, probe)
	q[program] = probes[:min(len(probes), shortest)]
}

// tolerance is how much longer than that a quiet probe may be. Quiet ones differ by
// 2 %, and with company they take 1.2 to 1.8 times as long.
const tolerance = 1.06

// quiet returns the samples of a process with quiet probes.
func (q quietest) quiet(p *process) (quiet []sample) {
	probes := q[p.program]
	if len(probes) == 0 {
		return nil
	}
	limit := int64(tolerance * float64(probes[len(probes)-1]))
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
	patience = 20 * time.Second
	fewest   = 10
)

// more reports whether there is to be another round.
func (r *run) more(c *Case, round int, began time.Time, processes []*process) bool {
	if round < c.Rounds || c.single() {
		return round < c.Rounds
	}
	return time.Since(began) < patience && !r.quietest.enough(processes, c.Rounds)
}

// single reports whether a round is one operation. It may be longer than the machine
// stays as it is, and takes it as it comes.
func (c *Case) single() bool { return c.Round == 0 }

// enough reports whether every column has that many quiet rounds.
func (q quietest) enough(processes []*process, rounds int) bool {
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
	if !r.quietest.enough(processes, fewest) {
		r.note("%s of %s: not quiet for long enough, all rounds count", c.Name, in.name)
		return
	}
	for _, p := range processes {
		quiet := r.quietest.quiet(p)
		p.setAside = len(p.samples) - len(quiet)
		p.samples = quiet
	}
}
