package chart

import "github.com/nlwire/nlwire/bench/report"

// Draw draws.
func Draw(dir string, rows []report.Row, d *report.Details) error { return nil }
