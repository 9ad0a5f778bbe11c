package kerneltest

import (
	"testing"
	"time"
)

// Interleave runs f and base alternately, rounds calls of each at a time, because the speed of a
// machine varies over time. It reports the time of one call of each, and their ratio as the given
// metric.
func Interleave(b *testing.B, rounds int, metric string, f, base func()) {
	b.Helper()
	var own, other time.Duration
	f() // allocates what later calls reuse
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
