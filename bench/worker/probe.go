package main

import "time"

// probe tells whether this thread has its processor to itself: the nanoseconds of
// work that fills it, ten microseconds. With another at work on the other half of a
// core, which a virtual machine shares with others, it takes longer. It is the
// shortest of a few, since whoever woke this thread is still at work for some
// microseconds; company stays for milliseconds.
func probe() (least int64) {
	for i := range probes {
		start := time.Now()
		probeSum = spin(probeTurns)
		if took := time.Since(start).Nanoseconds(); i == 0 || took < least {
			least = took
		}
	}
	return least
}

const (
	probes     = 3
	probeTurns = 10_000
)

var probeSum uint64

// spin has four chains that do not wait for each other, of instructions that any
// processor takes four of in each cycle. Chains that begin alike would be one to the
// compiler. With more of them than a processor can always take, the time was one of
// four at random (AMD EPYC, 7.8 to 12.2 µs). probe in ../c/main.c is the same.
//
//go:noinline
func spin(n uint64) uint64 {
	a, b, c, d := uint64(1), uint64(2), uint64(3), uint64(4)
	for i := range n {
		a, b, c, d = a^i, b^i, c^i, d^i
		a, b, c, d = a+i, b+i, c+i, d+i
		a, b, c, d = a^i, b^i, c^i, d^i
		a, b, c, d = a+i, b+i, c+i, d+i
	}
	return a ^ b ^ c ^ d
}
