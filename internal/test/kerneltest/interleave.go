package kerneltest

import (
	"testing"
	"time"
)

// Interleave runs f and base in turns, rounds of each at a time, since machines
// are noisy and times of different moments cannot be compared. It reports the
// times of one call of each and, as the metric named, their ratio.
func Interleave(b *testing.B, rounds int, metric string, f, base func()) {
	b.Helper()
	var own, other time.Duration
	f() // makes what is kept for later calls
	base()
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		for range rounds {
			f()
		}
		middle := time.Now()
		for range rounds {
			base()
		}
		own += middle.Sub(start)
		other += time.Since(middle)
	}
	calls := float64(b.N * rounds)
	b.ReportMetric(float64(own)/calls, "own-ns")
	b.ReportMetric(float64(other)/calls, "base-ns")
	b.ReportMetric(float64(own)/float64(other), metric)
}
