// Command bench compares nlwire with other libraries. All of them do the same work on the same bytes
// in one run.
//
//	go run .                 measure everything, as root, and write results/
//	go run . -smoke          run every case and column once, write nothing
//	go run . -case decode    run one case, write nothing
//	go run . -readme         write the table of ../README.md from results/
//	go run . -check          fail if that table does not match results/
//	go run . -charts         draw results/*.svg and *.png from results/
//
// A run uses a new network namespace and a new mount namespace.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/nlwire/nlwire/bench/chart"
	"github.com/nlwire/nlwire/bench/report"
	"github.com/nlwire/nlwire/bench/runner"
)

const (
	results = "results"
	readme  = "../README.md"
	// inside is an environment variable. It marks the process in the new namespaces.
	inside = "NLWIRE_BENCH_INSIDE"
)

func main() {
	if err := run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			os.Exit(exit.ExitCode()) // the inner process has printed its error
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	smoke := flag.Bool("smoke", false, "run every case and column once")
	only := flag.String("case", "", "run one `case`")
	write := flag.Bool("readme", false, "write the table of the README")
	check := flag.Bool("check", false, "check the table of the README")
	charts := flag.Bool("charts", false, "draw the charts")
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case *write:
		return report.WriteReadme(readme, results)
	case *check:
		return report.CheckReadme(readme, results)
	case *charts:
		return draw()
	case os.Getenv(inside) == "":
		return again()
	}
	rows, details, err := runner.Run(runner.Options{Source: ".", Smoke: *smoke, Only: *only, Log: os.Stderr})
	if err != nil {
		return err
	}
	fmt.Print(report.Summary(rows, details))
	if *smoke || *only != "" {
		return nil
	}
	return report.Write(results, rows, details)
}

// again runs this command again, in new namespaces.
func again() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("a network namespace needs root: %w", err)
	}
	return err
}

func draw() error {
	rows, _, err := report.Read(results)
	if err != nil {
		return err
	}
	return chart.Draw(results, rows)
}
