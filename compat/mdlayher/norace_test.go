//go:build !race

package netlink_test

const raceEnabled = false
