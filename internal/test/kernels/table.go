package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// The document has two tables, each after one of these lines. The first cell of a row is the name
// of a target.
const (
	resultsMark = "<!-- results, written by make kernels -->"
	skippedMark = "<!-- skipped tests, written by make kernels -->"
)

// writeTable replaces the rows of the targets that were tested in the tables of a document.
func writeTable(path string, reports []*report) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var results, skipped []string
	for _, r := range reports {
		results = append(results, fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %v | %v | %v | %.0f s |", r.Target, r.Kernel, r.Families,
			r.Tests, len(r.Failed), len(r.Skipped), r.Counts["agreement"], r.Counts["twin"], r.Counts["module"], r.GuestSeconds))
		for _, s := range r.Skipped {
			skipped = append(skipped, fmt.Sprintf("| %s | %s | %s |", r.Target, s.test, strings.ReplaceAll(s.reason, "|", "\\|")))
		}
	}
	tested := func(target string) bool {
		return slices.ContainsFunc(reports, func(r *report) bool { return r.Target == target })
	}
	text, err := replaceRows(string(b), resultsMark, tested, results)
	if err == nil {
		text, err = replaceRows(text, skippedMark, tested, skipped)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// replaceRows replaces the rows of some targets in the table after a mark, and sorts the rows by
// target.
func replaceRows(text, mark string, tested func(target string) bool, rows []string) (string, error) {
	before, rest, found := strings.Cut(text, mark+"\n")
	if !found {
		return "", fmt.Errorf("no line %q", mark)
	}
	lines := strings.Split(rest, "\n")
	end := slices.IndexFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "|") })
	const head = 2 // the names of the columns, and the line below them
	if end < head {
		return "", fmt.Errorf("no table after %q", mark)
	}
	for _, row := range lines[head:end] {
		if !tested(targetOf(row)) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b string) int { return cmp.Compare(position(a), position(b)) })
	all := slices.Concat(lines[:head], rows, lines[end:])
	return before + mark + "\n" + strings.Join(all, "\n"), nil
}

// targetOf returns the first cell of a row.
func targetOf(row string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
	return name
}

// position returns the place of a row's target in the list of targets.
func position(row string) int {
	return slices.IndexFunc(targets, func(t target) bool { return t.name == targetOf(row) })
}
