package runner

import (
	"slices"
	"time"
)

// The two halves of a core share what computes. Where a machine is a part of a
// larger one, the other half is somebody else's, and while that works, code that does
// much in each cycle takes up to twice as long, and code that waits for memory as
// long as ever: no ratio of the two means anything. So each sample has a probe
// before and behind it, and counts if both were quiet. The time that was measured has
// no part in that. (Garbage collectors do: what one does behind a sample can disturb
// the probe there. Such columns lose more samples, and those in which they collect.)

// probes are the shortest that each program had, in order.
type probes map[string][]int64

// shortest is how many of them are kept. Quiet ones are compared with the last of
// them: those before it may be what is wrong with the clock. It is a number and not
// a part, so that all programs are held to the same: the part that is quiet differs.
const shortest = 10

// see keeps a probe if it is one of the shortest.
func (q probes) see(program string, probe int64) {
	at, _ := slices.BinarySearch(q[program], probe)
	all := slices.Insert(q[program], at, probe)
	q[program] = all[:min(len(all), shortest)]
}

// tolerance is how much longer than that a quiet probe may be. Quiet ones differ by
// 2 %, and with company they take 1.2 to 1.8 times as long.
const tolerance = 1.06

// quiet returns the samples of a process with quiet probes.
func (q probes) quiet(p *process) (quiet []sample) {
	all := q[p.program]
	if len(all) == 0 {
		return nil
	}
	limit := int64(tolerance * float64(all[len(all)-1]))
	for _, s := range p.samples {
		if s.probe <= limit {
			quiet = append(quiet, s)
		}
	}
	return quiet
}

// patience is how long an input is measured for as many quiet samples of each column
// as the case wants rounds, and fewest how many of them are better than all samples.
const (
	patience = 15 * time.Second
	fewest   = 10
)

// more reports whether there is to be another round since the workers were started.
func (r *run) more(c *Case, round int, began time.Time, processes []*process) bool {
	wanted := (c.Rounds + c.starts() - 1) / c.starts()
	if round < wanted || c.single() {
		return round < wanted
	}
	return time.Since(began) < patience/starts && !r.probes.enough(processes, wanted)
}

// single reports whether a round is one operation. It may be longer than the machine
// stays as it is, and takes it as it comes.
func (c *Case) single() bool { return c.Round == 0 }

// enough reports whether every column has that many quiet samples.
func (q probes) enough(processes []*process, samples int) bool {
	for _, p := range processes {
		if len(q.quiet(p)) < samples {
			return false
		}
	}
	return true
}

// keep sets aside the samples that do not count. Where one column has too few quiet
// ones, those of all columns count: quiet times must not be set against others.
func (r *run) keep(m measured) {
	if m.kase.single() {
		return
	}
	if !r.probes.enough(m.processes, fewest) {
		r.note("%s of %s: not quiet for long enough, all samples count", m.kase.Name, m.input.name)
		return
	}
	for _, p := range m.processes {
		quiet := r.probes.quiet(p)
		p.setAside = len(p.samples) - len(quiet)
		p.samples = quiet
	}
}
