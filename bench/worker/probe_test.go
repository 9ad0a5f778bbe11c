package main

import "testing"

// What the probe does must not be less than is thought.
func TestSpin(t *testing.T) {
	for n, want := range []uint64{4, 4, 12} {
		if got := spin(uint64(n)); got != want {
			t.Errorf("%d turns: %#x, want %#x", n, got, want)
		}
	}
	probeSum = 0
	if took := probe(); took <= 0 || probeSum != spin(probeTurns) || probeTurns < 10_000 {
		t.Errorf("a probe of %d turns took %d ns, and gave %#x", probeTurns, took, probeSum)
	}
}
