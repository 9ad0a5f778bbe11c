//go:build race

package netlink_test

// raceEnabled is true if the race detector is on. Pools then drop their contents at random, which
// causes further allocations.
const raceEnabled = true
