package runner

import (
	"io"
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
	p := probed("nlwire", 1000, 1020, 1500, 1010, 1800, 1060, 1061, 1000)
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
	// Some that are too short to be true must not make the others disturbed.
	for range 19 {
		for _, s := range p.samples {
			q.see("worker", s.probe)
		}
	}
	for range 5 {
		q.see("worker", 500)
	}
	if got := numbers(q.quiet(p)); !slices.Equal(got, want) {
		t.Errorf("with a wrong clock: %v, want %v", got, want)
	}
}

func TestRoundsAreSetAsideInAllColumnsOrInNone(t *testing.T) {
	mixed := slices.Repeat([]int64{1000, 1500}, fewest)
	c, in := &Case{Name: "decode", Round: roundTime, Rounds: fewest}, &input{name: "u32"}
	for name, test := range map[string]struct {
		other []int64
		kept  []int
	}{
		"both quiet":       {mixed, []int{fewest, fewest}},
		"one hardly quiet": {append(slices.Repeat([]int64{1500}, fewest+1), mixed[2:]...), []int{2 * fewest, 3*fewest - 1}},
	} {
		processes := []*process{probed("nlwire", mixed...), probed("libmnl", test.other...)}
		r := &run{Options: Options{Log: io.Discard}, probes: after(processes...)}
		r.keep(c, in, processes)
		for i, p := range processes {
			all := [][]int64{mixed, test.other}[i]
			if len(p.samples) != test.kept[i] || len(p.samples)+p.setAside != len(all) {
				t.Errorf("%s: %s has %d samples and %d set aside, want %d of %d",
					name, p.column, len(p.samples), p.setAside, test.kept[i], len(all))
			}
		}
		if noted := strings.Contains(strings.Join(r.details.Notes, "\n"), "decode of u32"); noted != (test.kept[0] != fewest) {
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
		"rounds are left":         {Case{Round: 1, Rounds: 3}, 2, now, []*process{quiet}, true},
		"enough of them":          {Case{Round: 1, Rounds: 3}, 3, now, []*process{quiet}, false},
		"disturbed":               {Case{Round: 1, Rounds: 3}, 3, now, []*process{quiet, disturbed}, true},
		"disturbed for too long":  {Case{Round: 1, Rounds: 3}, 3, now.Add(-patience), []*process{quiet, disturbed}, false},
		"single, disturbed":       {Case{Rounds: 3}, 3, now, []*process{disturbed}, false},
		"single, rounds are left": {Case{Rounds: 3}, 2, now, []*process{disturbed}, true},
	} {
		if got := r.more(&test.c, test.round, test.began, test.processes); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
