package kerneltest

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// NeedPrivilege skips a test if err is EPERM, and fails it for any other error.
func NeedPrivilege(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, unix.EPERM) {
		tb.Skipf("needs root or a private user namespace: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// onThread runs f on a new thread that ends with f: a thread that was in another namespace must
// not run other goroutines.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

// NewNetNS creates a network namespace and returns a descriptor for it, which is closed at the
// end of the test.
func NewNetNS(tb testing.TB) (fd int) {
	tb.Helper()
	var err error
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
	})
	NeedPrivilege(tb, err)
	tb.Cleanup(func() { unix.Close(fd) })
	return fd
}

// InNetNS runs f in a network namespace.
func InNetNS(tb testing.TB, netNS int, f func()) {
	tb.Helper()
	var err error
	onThread(func() {
		if err = unix.Setns(netNS, unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	NeedPrivilege(tb, err)
}

// EnterNetNS moves the rest of a test into a new network namespace, on a thread that ends with
// the test. It skips the test without privileges, but fails in CI.
func EnterNetNS(tb testing.TB) {
	tb.Helper()
	runtime.LockOSThread() // never unlocked: the thread must not run other goroutines
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("CI must run as root: ", err)
		}
		tb.Skip("needs root to create a network namespace: ", err)
	}
}
