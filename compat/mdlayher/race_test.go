//go:build race

package netlink_test

// raceEnabled says that pools forget things at random, which are allocated again.
const raceEnabled = true
