package kerneltest

import (
	"testing"

	"golang.org/x/sys/unix"
)

// DropCaps removes the effective capabilities of the thread until RestoreCaps.
func DropCaps(tb testing.TB) { setCaps(tb, func(c *unix.CapUserData) { c.Effective = 0 }) }

// RestoreCaps makes the permitted capabilities of the thread effective.
func RestoreCaps(tb testing.TB) { setCaps(tb, func(c *unix.CapUserData) { c.Effective = c.Permitted }) }

func setCaps(tb testing.TB, change func(*unix.CapUserData)) {
	tb.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		tb.Fatal(err)
	}
	change(&data[0])
	change(&data[1])
	if err := unix.Capset(&header, &data[0]); err != nil {
		tb.Fatal(err)
	}
}
