//go:build race

package guard

// Race reports whether the race detector is enabled; with it a sync.Pool drops items at random.
const Race = true
