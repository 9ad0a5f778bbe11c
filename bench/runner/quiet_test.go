package runner

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// probed is a process whose samples had these probes; ns is the number of each.
func probed(column string, probes ...int64) *process {
	p := &process{program: "worker", column: column}
	for i, probe := range probes {
		p.samples = append(p.samples, sample{ops: 1, ns: int64(i), probe: probe})
	}
	return p
}

// after is what was seen of these processes.
func after(processes ...*process) probes {
	q := probes{}
	for _, p := range processes {
		for _, s := range p.samples {
			q.see(p.program, s.probe)
		}
	}
	return q
}

func numbers(samples []sample) (all []int64) {
	for _, s := range samples {
		all = append(all, s.ns)
	}
	return all
}

func TestQuiet(t *testing.T) {
	p := probed("nlwire", 1000, 1020, 1500, 1010, 1800, 1100, 1101, 1000)
	q := after(p)
	want := []int64{0, 1, 3, 5, 7}
	if got := numbers(q.quiet(p)); !slices.Equal(got, want) {
		t.Errorf("quiet: %v, want %v", got, want)
	}
	if !slices.IsSorted(q["worker"]) {
		t.Errorf("probes %v", q["worker"])
	}
	if got := q.quiet(&process{program: "other"}); got != nil {
		t.Errorf("quiet, of a program without probes: %v", got)
	}
	// Some that are too short to be true must not make the others disturbed, more of
	// them are what quiet is.
	for range 11 {
		for _, s := range p.samples {
			q.see("worker", s.probe)
		}
	}
	for range 5 { // of 101
		q.see("worker", 500)
	}
	if got := numbers(q.quiet(p)); !slices.Equal(got, want) {
		t.Errorf("with a wrong clock: %v, want %v", got, want)
	}
	q.see("worker", 500)
	if got := q.quiet(p); got != nil {
		t.Errorf("beside many shorter ones %v are quiet", numbers(got))
	}
}

func TestSamplesAreSetAsideInAllColumnsOrInNone(t *testing.T) {
	times := func(n int, probe int64) []int64 { return slices.Repeat([]int64{probe}, n) }
	mixed := slices.Concat(times(fewest, 1000), times(fewest, 1500))
	for name, test := range map[string]struct {
		nlwire, libmnl []int64
		later          []int64
		round          time.Duration
		kept           [2]int
		noted          bool
	}{
		"both quiet for long enough": {mixed, slices.Concat(mixed, times(1, 1000)), nil, 1, [2]int{fewest, fewest + 1}, false},
		"one hardly quiet":           {mixed, slices.Concat(times(fewest-1, 1000), times(30, 1500)), nil, 1, [2]int{2 * fewest, fewest + 29}, true},
		"other inputs were quieter":  {times(20, 1500), times(20, 1500), times(20, 1000), 1, [2]int{20, 20}, true},
		// 11 and 9 of 200: the second is measured by what is not quiet.
		"about as rare as what is left out": {
			slices.Concat(times(11, 1000), times(189, 1500)), slices.Concat(times(9, 1000), times(191, 1500)), nil, 1, [2]int{200, 200}, true,
		},
		"one collects garbage": {
			slices.Concat(times(40, 1000), times(60, 1500)), slices.Concat(times(15, 1000), times(85, 1500)), nil, 1, [2]int{40, 15}, false,
		},
		"single operations": {mixed, mixed, nil, 0, [2]int{2 * fewest, 2 * fewest}, false},
	} {
		m := measured{
			&Case{Name: "decode", Round: test.round}, &input{name: "u32"},
			[]*process{probed("nlwire", test.nlwire...), probed("libmnl", test.libmnl...)},
		}
		for _, p := range m.processes {
			p.program = p.column
		}
		r := &run{probes: after(m.processes...)}
		for _, p := range test.later {
			r.probes.see("nlwire", p)
		}
		r.keep(m)
		for i, p := range m.processes {
			all := len([][]int64{test.nlwire, test.libmnl}[i])
			if len(p.samples) != test.kept[i] || len(p.samples)+p.setAside != all {
				t.Errorf("%s: %s has %d samples and %d set aside, want %d of %d",
					name, p.column, len(p.samples), p.setAside, test.kept[i], all)
			}
		}
		if noted := strings.Contains(strings.Join(r.details.Notes, "\n"), "decode of u32"); noted != test.noted {
			t.Errorf("%s: notes %q", name, r.details.Notes)
		}
	}
}

func TestMore(t *testing.T) {
	quiet, disturbed := probed("nlwire", 1000, 1000, 1000), probed("libmnl", 1500, 1000, 1500)
	r := &run{probes: after(quiet, quiet, quiet, quiet, disturbed)}
	now := time.Now()
	for name, test := range map[string]struct {
		c         Case
		round     int
		began     time.Time
		processes []*process
		want      bool
	}{
		"rounds are left":         {Case{Round: 1, Rounds: 3 * starts}, 2, now, []*process{quiet}, true},
		"enough of them":          {Case{Round: 1, Rounds: 3 * starts}, 3, now, []*process{quiet}, false},
		"disturbed":               {Case{Round: 1, Rounds: 3 * starts}, 3, now, []*process{quiet, disturbed}, true},
		"disturbed for too long":  {Case{Round: 1, Rounds: 3 * starts}, 3, now.Add(-15 * time.Second / starts), []*process{quiet, disturbed}, false},
		"live, for as long":       {Case{Round: 1, Rounds: 3 * starts, Live: true}, 3, now.Add(-15 * time.Second / starts), []*process{quiet, disturbed}, true},
		"live, for too long":      {Case{Round: 1, Rounds: 3 * starts, Live: true}, 3, now.Add(-40 * time.Second / starts), []*process{quiet, disturbed}, false},
		"single, disturbed":       {Case{Rounds: 3}, 3, now, []*process{disturbed}, false},
		"single, rounds are left": {Case{Rounds: 3}, 2, now, []*process{disturbed}, true},
	} {
		if got := r.more(&test.c, test.round, test.began, test.processes); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
