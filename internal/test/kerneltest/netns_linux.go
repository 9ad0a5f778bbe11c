package kerneltest

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// NeedPrivilege skips a test for whoever may not do it, and only then.
func NeedPrivilege(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, unix.EPERM) {
		tb.Skipf("needs root, or a user namespace of its own: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// onThread runs f on a thread that ends with it: one that has been in another
// namespace must not serve other goroutines.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

// NewNetNS makes a network namespace and returns a descriptor of it, which is
// closed with the test.
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

// EnterNetNS puts the rest of a test into a network namespace of its own, on a
// thread that ends with the test. CI must be able to.
func EnterNetNS(tb testing.TB) {
	tb.Helper()
	runtime.LockOSThread() // not unlocked: the thread must not serve others
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("CI must run as root: ", err)
		}
		tb.Skip("needs root, for a network namespace: ", err)
	}
}
