package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// An event is what test2json documents.
type event struct{ Action, Package, Test, Output string }

// A printer prints what go test prints without -v: the output of what failed, and a line
// for every package.
type printer struct {
	w       io.Writer
	output  map[string][]string // of what runs, by package and test
	skipped map[string]int      // tests, by the reason
}

func (p printer) read(r io.Reader) error {
	decoder := json.NewDecoder(r)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("events of go test: %w", err)
		}
		p.event(e)
	}
}

func (p printer) event(e event) {
	of := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(p.w, e.Output)
	case "output":
		p.output[of] = append(p.output[of], e.Output)
	case "pass", "fail", "skip":
		lines := p.output[of]
		delete(p.output, of)
		if e.Action == "skip" && e.Test != "" {
			p.skipped[reason(lines)]++
		}
		if e.Action != "fail" {
			lines = lines[max(0, len(lines)-1):]
		}
		if e.Action == "fail" || e.Test == "" {
			fmt.Fprint(p.w, strings.Join(lines, ""))
		}
	}
}

var logLine = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)

// reason returns what a skipped test logged last, without the error that may follow a colon.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if m := logLine.FindStringSubmatch(line); m != nil {
			text, _, _ := strings.Cut(m[1], ": ")
			return text
		}
	}
	return "no reason given"
}

// printSkipped prints how many tests were skipped for each reason, the most frequent first.
func printSkipped(w io.Writer, skipped map[string]int) {
	reasons := slices.SortedFunc(maps.Keys(skipped), func(a, b string) int {
		return cmp.Or(skipped[b]-skipped[a], strings.Compare(a, b))
	})
	if len(reasons) == 0 {
		fmt.Fprintln(w, "No test was skipped.")
		return
	}
	fmt.Fprintln(w, "Skipped tests:")
	for _, r := range reasons {
		fmt.Fprintf(w, "%5d  %s\n", skipped[r], r)
	}
}
