package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls that move datagrams. The functions for one datagram are small enough for
// the compiler to inline them (TestCallsAreInlined). A system call leaves the processor's
// return-address predictor cold, so that every function that returns after it costs extra
// time. The callers repeat the calls after EINTR.
//
// These functions use Syscall instead of RawSyscall, because the kernel may sleep inside,
// on a lock such as rtnl: a send runs the handler of a request, and a receive that makes
// room continues a dump (netlink_dump). A RawSyscall would block a P of the scheduler for
// that time.

// receiveFlags makes the calls return the length before truncation (MSG_TRUNC). The
// descriptor is non-blocking; MSG_DONTWAIT keeps the calls non-blocking if another holder
// of the descriptor clears that flag. Only NextSize uses MSG_PEEK, which would double the
// number of calls.
const receiveFlags = unix.MSG_TRUNC | unix.MSG_DONTWAIT

// sendto is sendto(2) without waiting; name may be nil.
func sendto(fd int, b []byte, name *unix.RawSockaddrNetlink, size uintptr) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(name)), size)
	return n, errno
}

// sendmsg is sendmsg(2) without waiting.
func sendmsg(fd int, h *unix.Msghdr) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), unix.MSG_DONTWAIT)
	return n, errno
}

// recvfrom is recvfrom(2) into size bytes at base. *namelen is the size of from, and the
// number of bytes that the kernel wrote there.
func recvfrom(fd uintptr, base *byte, size int, from *unix.RawSockaddrNetlink, namelen *uint32) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.Syscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(base)), uintptr(size),
		receiveFlags, uintptr(unsafe.Pointer(from)), uintptr(unsafe.Pointer(namelen)))
	return n, errno
}

// recvmsg is recvmsg(2).
func recvmsg(fd uintptr, h *unix.Msghdr) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(h)), receiveFlags)
	return n, errno
}
