package runner

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// fake is an environment variable. If it is set, this test binary is a worker.
const fake = "NLWIRE_BENCH_FAKE"

func TestMain(m *testing.M) {
	if os.Getenv(fake) == "" {
		os.Exit(m.Run())
	}
	work(os.Args[2])
}

// work is a worker with fixed times: an operation takes 100 ns, or 200 ns in the column libmnl, and
// three times as long in every fifth run.
func work(column string) {
	ns := map[string]int{"nlwire": 100, "libmnl": 200}[column]
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for runs := 0; lines.Scan(); {
		var command string
		var n int
		switch fmt.Sscanf(lines.Text(), "%s %d", &command, &n); command {
		case "check":
			fmt.Println("sum 7")
		case "count":
			fmt.Println("allocated", n, 16*n)
		case "run":
			took := n * ns
			if runs++; runs%5 == 0 {
				took *= 3
			}
			fmt.Printf("ran %d %x\n", took, 7*n)
		}
	}
	fmt.Println("peak 4096")
}

func TestInput(t *testing.T) {
	t.Setenv(fake, "1")
	r := &run{Options: Options{Log: io.Discard}, programs: programs{worker: {path: os.Args[0]}}}
	c := &Case{Name: "decode", Columns: []string{"nlwire", "libmnl"}, Rounds: 30, Round: time.Millisecond, Units: 2}
	refilled := 0
	in := &input{name: "u32", units: 2, attrs: 5, refill: func() error { refilled++; return nil }}
	if err := r.input(c, in); err != nil {
		t.Fatal(err)
	}
	if len(r.rows) != 2 {
		t.Fatalf("rows %+v", r.rows)
	}
	for i, want := range []float64{50, 100} { // per unit; an operation has two units
		row := r.rows[i]
		if row.Column != c.Columns[i] || row.NsOp != want || row.NsAttr != want/5 || *row.AllocsOp != 0.5 || *row.BytesOp != 8 ||
			row.PeakRSS != 4096 || row.Rounds != 30 {
			t.Errorf("%+v, want %v ns", row, want)
		}
	}
	if refilled < r.rows[0].Rounds {
		t.Errorf("refilled %d times in %d rounds", refilled, r.rows[0].Rounds)
	}
}
