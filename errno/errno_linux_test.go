package errno

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The table equals Go's table for this architecture; CI runs this test on MIPS, too.
func TestAgreesWithSystem(t *testing.T) {
	named := 0
	for n := range Errno(2000) {
		system := unix.ErrnoName(syscall.Errno(n))
		if n >= ERESTARTSYS && n <= ENOGRACE {
			if system != "" {
				t.Errorf("%d: the system has a name for it, %q", n, system)
			}
			continue
		}
		if system == "" {
			if n != 0 && n.Name() != "" {
				t.Errorf("%d: %s is unknown to the system", n, n.Name())
			}
			continue
		}
		if system == "EINIT" || system == "EREMDEV" || system == "EDEADLOCK" && n != EDEADLK {
			continue // they exist only on MIPS, and the kernel never returns them
		}
		named++
		if got := n.Name(); got != system && !isAlias(system, n) {
			t.Errorf("%d: %q, want %q", n, got, system)
		}
		if got, want := n.Error(), syscall.Errno(n).Error(); got != want && n != EHWPOISON {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if named < 130 {
		t.Errorf("compared only %d errnos", named)
	}
}

// isAlias reports whether name is a second name of the number n.
func isAlias(name string, n Errno) bool {
	other, ok := map[string]Errno{
		"EWOULDBLOCK": EAGAIN, "EDEADLOCK": EDEADLK, "ENOTSUP": ENOTSUP, "EFSBADCRC": EBADMSG, "EFSCORRUPTED": EUCLEAN,
	}[name]
	return ok && other == n
}

func TestErrorsFindsSystemErrno(t *testing.T) {
	err := fmt.Errorf("get link: %w", ENODEV)
	var system syscall.Errno
	switch {
	case !errors.Is(err, unix.ENODEV):
		t.Error("errors.Is does not match unix.ENODEV")
	case errors.Is(err, unix.ENOENT):
		t.Error("errors.Is matches unix.ENOENT")
	case !errors.As(err, &system) || system != unix.ENODEV:
		t.Errorf("errors.As returns %v", system)
	}
	for n := range Errno(200) {
		for _, target := range []error{fs.ErrPermission, fs.ErrExist, fs.ErrNotExist, errors.ErrUnsupported} {
			if got, want := errors.Is(n, target), errors.Is(syscall.Errno(n), target); got != want {
				t.Errorf("%s is %q: %v, want %v", n.Name(), target, got, want)
			}
		}
	}
	if !Is(unix.ENODEV, ENODEV) || !Is(fmt.Errorf("get: %w", ENODEV), ENODEV) || Is(unix.ENODEV, ENOENT) || Is(nil, ENODEV) || Is(ENODEV, unix.ENODEV) {
		t.Error("Is returns a wrong result")
	}
	if e, ok := Of(fmt.Errorf("send: %w", unix.EMSGSIZE)); e != EMSGSIZE || !ok {
		t.Errorf("Of returns %v, %v", e, ok)
	}
}

// On 64-bit machines a syscall.Errno has more bits than an Errno. A number with one of these bits
// must not match an errno.
func TestEdgesOfSystemErrnos(t *testing.T) {
	for _, e := range extremes {
		system := syscall.Errno(e)
		var back syscall.Errno
		if got, ok := Of(system); got != e || !ok || !e.Is(system) || !errors.As(e, &back) || back != system {
			t.Errorf("%d: %d, %v, as %d", uint32(e), uint32(got), ok, uintptr(back))
		}
		if wide := uint64(e) | 1<<32; uint64(uintptr(wide)) == wide {
			if got, ok := Of(syscall.Errno(wide)); got != 0 || ok || e.Is(syscall.Errno(wide)) {
				t.Errorf("%#x: %d, %v, is %v", wide, uint32(got), ok, e.Is(syscall.Errno(wide)))
			}
		}
	}
}
