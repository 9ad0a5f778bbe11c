package guard

import (
	"runtime"
	"testing"
)

// Memory fails where f allocates more than limit bytes. It is for fuzz targets:
// what else runs in the process allocates too, so f is tried again before it is
// blamed, and only one input in 16 is measured, since reading the counters stops
// the world. f must be repeatable.
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
	t.Fatalf("%d bytes allocated for an input of %d, want %d at most", spent, len(input), limit)
}

// sampled picks inputs by their bytes, so that one that fails fails again.
func sampled(input []byte) bool {
	sum := len(input)
	for _, c := range input[:min(len(input), 64)] {
		sum += int(c)
	}
	return sum%16 == 0
}
