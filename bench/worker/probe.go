package main

import "time"

// probe tells whether this thread has its processor to itself: the nanoseconds of
// work that fills it. With another at work on the other half of a core, which a
// virtual machine shares with others, it takes half as long again.
func probe() int64 {
	start := time.Now()
	probeSum = spin(probeTurns)
	return time.Since(start).Nanoseconds()
}

// probeTurns are ten microseconds.
const probeTurns = 20_000

var probeSum uint64

// spin has six chains that do not wait for each other. probe in ../c/main.c is the
// same.
//
//go:noinline
func spin(n uint64) uint64 {
	var a, b, c, d, e, f uint64
	for i := range n {
		a += i
		b ^= i
		c -= i
		d |= i
		e += b
		f ^= d
	}
	return a ^ b ^ c ^ d ^ e ^ f
}
