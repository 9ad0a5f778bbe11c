package socket

import (
	"errors"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// open performs all steps of Open on a bare descriptor. Its errors are OpErrors.
func (s *sysSocket) open(protocol Protocol, c *config) (portID uint32, err error) {
	fd, origin, op, err := c.socket(protocol)
	if err != nil {
		return 0, newOpError(op, protocol, err)
	}
	if portID, err = c.setUp(fd, protocol); err != nil {
		_ = unix.Close(fd) // the first error is the one to report
		return 0, err
	}
	s.take(fd, origin, c)
	return portID, nil
}

// take initializes the socket with a configured descriptor.
func (s *sysSocket) take(fd int, origin namespace, c *config) {
	s.origin = origin
	s.adopt(fd)
	s.r.control.Store(slices.ContainsFunc(c.flags, func(w wish) bool { return w.hasControl() }))
}

// fromFD is open for an existing descriptor.
func (s *sysSocket) fromFD(fd int, c *config) (protocol Protocol, portID uint32, err error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err == nil && domain != unix.AF_NETLINK {
		err = unix.EAFNOSUPPORT
	}
	if err != nil {
		return 0, 0, &OpError{Op: "getsockopt", Option: "SO_DOMAIN", Protocol: unknownProtocol, Err: err,
			Hint: "the descriptor does not refer to a netlink socket"}
	}
	number, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return 0, 0, newOpError("getsockopt SO_PROTOCOL", unknownProtocol, err)
	}
	protocol = Protocol(number)
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return 0, 0, newOpError("fcntl O_NONBLOCK", protocol, err)
	}
	c.isUnbound = true // or bound by its creator
	if portID, err = c.setUp(fd, protocol); err != nil {
		return 0, 0, err
	}
	origin := c.probe.identify(fd)
	s.take(fd, origin, c)
	// The creator may have enabled options that add control messages.
	s.r.control.Store(true)
	return protocol, portID, nil
}

// socket makes the descriptor, in the requested namespace. It returns the identification of
// that namespace.
func (c *config) socket(protocol Protocol) (fd int, origin namespace, op string, err error) {
	if c.netNS == nil {
		return c.here(protocol)
	}
	type result struct {
		fd     int
		origin namespace
		op     string
		err    error
	}
	// The visit must not run on this goroutine's thread: the caller may have locked the
	// thread, and the runtime may have to end it.
	done := make(chan result)
	go func() {
		var r result
		r.fd, r.origin, r.op, r.err = c.visit(*c.netNS, protocol)
		done <- r
	}()
	r := <-done
	return r.fd, r.origin, r.op, r.err
}

// here makes a descriptor in the namespace of the calling thread. It locks the thread only if
// identify inspects it: the first LockOSThread of a program starts a thread.
func (c *config) here(protocol Protocol) (fd int, origin namespace, op string, err error) {
	if fd, op, err = newDescriptor(protocol); err != nil {
		return fd, origin, op, err
	}
	if origin = c.probe.identifyByCookie(fd); origin.cookie != 0 {
		return fd, origin, op, nil
	}
	_ = unix.Close(fd) // another thread may have made it
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if fd, op, err = newDescriptor(protocol); err == nil {
		origin = c.probe.identify(fd)
	}
	return fd, origin, op, err
}

func newDescriptor(protocol Protocol) (fd int, op string, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(protocol))
	return fd, opSocket, err
}

// visit makes a descriptor inside another network namespace. It runs in a separate
// goroutine that ends with it. A namespace is a property of the thread, so visit locks the
// thread and unlocks it only after the return to its original namespace. Otherwise the
// goroutine ends with the thread locked, and the runtime ends the thread.
func (c *config) visit(netNS int, protocol Protocol) (fd int, origin namespace, op string, err error) {
	runtime.LockOSThread()
	// Without /proc there is no descriptor to return to: setns(-1) fails, and the thread
	// ends.
	home, _ := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if home >= 0 {
		defer unix.Close(home)
	}
	if err := unix.Setns(netNS, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread() // it did not change the namespace
		return -1, origin, opSetns, err
	}
	if fd, op, err = newDescriptor(protocol); err == nil {
		origin = c.probe.identify(fd)
	}
	if unix.Setns(home, unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return fd, origin, op, err
}

// setUp applies the options in the order that Open documents.
func (c *config) setUp(fd int, protocol Protocol) (portID uint32, err error) {
	if op, err := c.apply(fd); err != nil {
		return 0, newOpError(op, protocol, err)
	}
	if !c.isUnbound {
		err := bind(fd, c.portID, c.groupMask)
		isOwnChoice := c.portID != 0 || c.groupMask != 0
		if err != nil && (isOwnChoice || !errors.Is(err, unix.EACCES)) {
			return 0, bindError(protocol, c.portID, err)
		}
	}
	for _, group := range c.groups {
		if err := setMembership(fd, optAddMembership, group); err != nil {
			return 0, newOpError("setsockopt "+nameAddMembership, protocol, err)
		}
	}
	portID, err = boundPort(fd)
	if err != nil {
		return 0, newOpError("getsockname", protocol, err)
	}
	return portID, nil
}

// apply sets the options that must be in effect before the socket receives anything.
func (c *config) apply(fd int) (op string, err error) {
	for _, f := range c.flags {
		err := setFlag(fd, f.Flag, true)
		if err != nil && !(f.isOptional && isUnknown(err)) {
			return "setsockopt " + f.String(), err
		}
	}
	if c.receiveBuffer != nil {
		if err := setReceiveBuffer(fd, *c.receiveBuffer); err != nil {
			return "setsockopt SO_RCVBUF", err
		}
	}
	if c.sendBuffer != nil {
		if err := setSendBuffer(fd, *c.sendBuffer); err != nil {
			return "setsockopt SO_SNDBUF", err
		}
	}
	if c.filter != nil {
		return "setsockopt SO_ATTACH_FILTER", attachFilter(fd, c.filter)
	}
	return "", nil
}

// isUnknown reports whether the kernel, or a sandbox that replaces it, does not support an
// option.
func isUnknown(err error) bool {
	return errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EINVAL) ||
		errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)
}

// bind is bind(2) without the allocation of package unix.
func bind(fd int, portID, groups uint32) error {
	sa := unix.RawSockaddrNetlink{Family: unix.AF_NETLINK, Pid: portID, Groups: groups}
	_, _, errno := syscall.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrNetlink)
	if errno != 0 {
		return errno
	}
	return nil
}

// boundPort returns the port ID, 0 for a socket that is not bound.
func boundPort(fd int) (uint32, error) {
	var sa unix.RawSockaddrNetlink
	size := uint32(unix.SizeofSockaddrNetlink)
	_, _, errno := syscall.Syscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	switch {
	case errno != 0:
		return 0, errno
	case sa.Family != unix.AF_NETLINK:
		return 0, unix.EAFNOSUPPORT
	}
	return sa.Pid, nil
}

func (s *sysSocket) boundPort() (portID uint32, err error) {
	err = s.control(func(fd int) (err error) {
		portID, err = boundPort(fd)
		return err
	})
	return portID, err
}

func bindError(protocol Protocol, portID uint32, err error) error {
	e := &OpError{Op: opBind, Protocol: protocol, Err: err}
	if errors.Is(err, unix.EADDRINUSE) {
		e.Hint = "port ID " + strconv.FormatUint(uint64(portID), 10) + " is taken"
	}
	return e
}
