//go:build !race

package guard

// Race is true under the race detector, where a sync.Pool forgets at random.
const Race = false
