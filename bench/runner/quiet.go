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

// probes are those that each program had, in order.
type probes map[string][]int64

// see keeps a probe.
func (q probes) see(program string, probe int64) {
	at, _ := slices.BinarySearch(q[program], probe)
	q[program] = slices.Insert(q[program], at, probe)
}

const (
	// shorter is the part of its program's probes that a quiet one is not compared
	// with: for moments a processor is faster, or its clock wrong.
	shorter = 0.05
	// tolerance is how much longer than the next one it may be. Quiet ones differ by
	// 2 %, or by 7 % where the clock changes in the minutes of a run (AMD EPYC). With
	// company a probe of six chains took 1.2 to 1.8 times as long (Intel Xeon).
	tolerance = 1.1
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

// fewest is how many quiet samples of each column are better than all samples.
const fewest = 10

// patience is how long an input is measured for as many quiet samples of each column
// as the case wants rounds. What the kernel does varies more, and has rivals that
// take longer.
func (c *Case) patience() time.Duration {
	if c.Live {
		return 40 * time.Second
	}
	return 15 * time.Second
}

// more reports whether there is to be another round since the workers were started.
func (r *run) more(c *Case, round int, began time.Time, processes []*process) bool {
	wanted := (c.Rounds + c.starts() - 1) / c.starts()
	if round < wanted {
		return true
	}
	return !c.single() && time.Since(began) < c.patience()/starts && !r.probes.enough(processes, wanted)
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
// ones, or a much larger part than another, those of all columns count: quiet times
// must not be set against others.
func (r *run) keep(m measured) {
	if m.kase.single() {
		return
	}
	var quiet [][]sample
	enough, least, most := true, 1.0, 0.0
	for i, p := range m.processes {
		quiet = append(quiet, r.probes.quiet(p))
		part := float64(len(quiet[i])) / float64(len(p.samples))
		enough, least, most = enough && len(quiet[i]) >= fewest, min(least, part), max(most, part)
	}
	if !enough || most > alike*least {
		r.note("%s of %s: not quiet for long enough, all samples count", m.kase.Name, m.input.name)
		return
	}
	for i, p := range m.processes {
		p.setAside = len(p.samples) - len(quiet[i])
		p.samples = quiet[i]
	}
}

// alike is how many times another's a column's part of quiet samples may be. In the
// same rounds those of columns that collect garbage are half of others. More is a sign
// that one program was measured by what is quiet, and the other by what is not: when
// quiet times are about as rare as what shorter leaves out.
const alike = 4
