// Command bench compares compat/mdlayher with the original, and with the original on the newest
// version of its socket module. Run it in its directory, as root on Linux, with GOWORK=off:
//
//	go run .            measure, and write results.md
//	go run . -smoke     run every case once, write nothing
//
// The implementations are three builds of one program. Each build has a separate network namespace.
// The builds run in turn within each round. The reported ratio is the median of the rounds' ratios.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// A build is an implementation.
type build struct {
	name    string
	modfile string
	netlink string // replacement of the module, or -
	socket  string // version of the socket module; empty if it must be absent
}

var builds = []build{
	{"original", "go.mod", "-", "v0.6.0"},
	{"newest socket", "socket.mod", "-", "v0.8.0"},
	{"compat", "compat.mod", "../mdlayher", ""},
}

func main() {
	smoke := flag.Bool("smoke", false, "run every case once")
	rounds := flag.Int("rounds", 30, "number of rounds")
	flag.Parse()
	if err := run(*smoke, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(smoke bool, rounds int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	workers := make([]*worker, len(builds))
	for i, b := range builds {
		path := filepath.Join(dir, fmt.Sprint("worker", i))
		if err := b.make(path); err != nil {
			return err
		}
		if workers[i], err = start(path); err != nil {
			return err
		}
		defer workers[i].stop()
	}
	if smoke {
		rounds = 1
	}
	var rows []row
	for _, c := range measured {
		r, err := measure(c, workers, rounds, smoke)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	text := table(rows)
	fmt.Print(text)
	if smoke {
		return nil
	}
	return os.WriteFile("results.md", []byte(text), 0o644)
}
