package runner

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// fake is set in the environment of this test binary where it is a worker.
const fake = "NLWIRE_BENCH_FAKE"

func TestMain(m *testing.M) {
	if os.Getenv(fake) == "" {
		os.Exit(m.Run())
	}
	work(os.Args[2])
}

// work answers as a worker whose operations take 100 ns, of libmnl 200, and three
// times as long in every other run, when it is disturbed.
func work(column string) {
	ns := map[string]int{"nlwire": 100, "libmnl": 200}[column]
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for runs := 0; lines.Scan(); {
		var command string
		var n, counted int
		switch fmt.Sscanf(lines.Text(), "%s %d", &command, &n); command {
		case "check":
			fmt.Println("sum 7")
			continue
		case "count":
			counted = 1
		}
		took, probe := n*ns, 1000
		if runs++; runs%2 == 0 {
			took, probe = 3*took, 1500
		}
		fmt.Printf("ran %d %x %d %d %d %d\n", took, 7*n, n*counted, 16*n*counted, 2*n*counted, probe)
	}
	fmt.Println("peak 4096")
}

func TestInput(t *testing.T) {
	t.Setenv(fake, "1")
	this := program{path: os.Args[0], counting: os.Args[0]}
	r := &run{Options: Options{Log: io.Discard}, probes: probes{}, programs: programs{worker: this}}
	c := &Case{Name: "decode", Columns: []string{"nlwire", "libmnl"}, Rounds: starts * fewest, Round: time.Millisecond, Units: 2}
	refilled := 0
	in := &input{name: "u32", units: 2, attrs: 5, refill: func() error { refilled++; return nil }}
	if err := r.input(c, in); err != nil {
		t.Fatal(err)
	}
	r.conclude()
	if len(r.rows) != 2 || len(r.details.Rows) != 2 {
		t.Fatalf("rows %+v", r.rows)
	}
	for i, want := range []float64{50, 100} { // for each of the two units of an operation
		row, detail := r.rows[i], r.details.Rows[i]
		if row.Column != c.Columns[i] || row.NsOp != want || row.NsAttr != want/5 || row.AllocsOp != 0.5 || row.BytesOp != 8 ||
			row.SyscallsOp == nil || *row.SyscallsOp != 1 || row.PeakRSS != 4096 {
			t.Errorf("%+v, want %v ns", row, want)
		}
		if want := starts * fewest; detail.Counted != want || detail.SetAside < want-starts || detail.SetAside > want {
			t.Errorf("%+v, want %d rounds, and about as many set aside", detail, want)
		}
		if detail.Greatest != want {
			t.Errorf("a round took %v ns, want none of more than %v", detail.Greatest, want)
		}
	}
	if rounds := r.details.Rows[0].Counted + r.details.Rows[0].SetAside; refilled < rounds {
		t.Errorf("refilled %d times in %d rounds", refilled, rounds)
	}
}
