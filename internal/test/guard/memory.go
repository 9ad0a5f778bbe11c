package guard

import (
	"runtime"
	"testing"
)

// Memory fails if f allocates more than limit bytes. It is for fuzz targets. Other goroutines of
// the process allocate too, so f is repeated before the test fails. Only one input in 16 is
// measured, because reading the counters stops the world. f must be repeatable.
func Memory(t testing.TB, input []byte, limit int, f func()) {
	t.Helper()
	if !sampled(input) {
		return
	}
	var spent uint64
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if spent = after.TotalAlloc - before.TotalAlloc; spent <= uint64(limit) {
			return
		}
	}
	t.Fatalf("%d bytes allocated for an input of %d, want at most %d", spent, len(input), limit)
}

// sampled selects inputs by their bytes, so that a failing input fails again.
func sampled(input []byte) bool {
	sum := len(input)
	for _, c := range input[:min(len(input), 64)] {
		sum += int(c)
	}
	return sum%16 == 0
}
