package socket

import (
	"errors"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// open does everything of Open on a bare descriptor. Its errors are OpErrors.
func (s *sysSocket) open(protocol int, c *config) (portID uint32, err error) {
	fd, op, err := c.socket(protocol)
	if err != nil {
		return 0, newOpError(op, protocol, err)
	}
	if portID, err = c.setUp(fd, protocol); err != nil {
		_ = unix.Close(fd) // the first error is the one to tell
		return 0, err
	}
	s.adopt(fd)
	s.raw = c.raw
	s.r.control.Store(slices.ContainsFunc(c.flags, Flag.hasControl))
	return portID, nil
}

// socket makes the descriptor, in the namespace asked for.
func (c *config) socket(protocol int) (fd int, op string, err error) {
	if c.netNS == nil {
		return newDescriptor(protocol)
	}
	type result struct {
		fd  int
		op  string
		err error
	}
	// The visit must not hold this goroutine's thread: the caller may have
	// locked it, and the thread may have to end.
	done := make(chan result)
	go func() {
		fd, op, err := visit(*c.netNS, protocol)
		done <- result{fd, op, err}
	}()
	r := <-done
	return r.fd, r.op, r.err
}

func newDescriptor(protocol int) (fd int, op string, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	return fd, opSocket, err
}

// visit makes a descriptor inside another network namespace. It runs in a
// goroutine of its own that ends with it. A namespace belongs to the thread, so
// the thread is locked, and released only when it is home again. Otherwise the
// goroutine ends with the lock held, and the runtime ends the thread with it.
func visit(netNS, protocol int) (fd int, op string, err error) {
	runtime.LockOSThread()
	// Without /proc there is no way home: setns then refuses -1, which will do.
	home, _ := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if home >= 0 {
		defer unix.Close(home)
	}
	if err := unix.Setns(netNS, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread() // it never left
		return -1, opSetns, err
	}
	fd, op, err = newDescriptor(protocol)
	if unix.Setns(home, unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return fd, op, err
}

// setUp applies the options in the order that Open promises.
func (c *config) setUp(fd, protocol int) (portID uint32, err error) {
	if op, err := c.apply(fd); err != nil {
		return 0, newOpError(op, protocol, err)
	}
	if err := bind(fd, c.portID); err != nil {
		return 0, bindError(protocol, c.portID, err)
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

// apply sets what must be in place before the socket can hear anything.
func (c *config) apply(fd int) (op string, err error) {
	for _, f := range c.flags {
		if err := setFlag(fd, f, true); err != nil {
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

// netNS returns a descriptor of the socket's network namespace (SIOCGSKNS).
func (s *sysSocket) netNS() (fd int, err error) {
	err = s.control(func(socket int) (err error) {
		fd, err = unix.IoctlRetInt(socket, unix.SIOCGSKNS)
		return err
	})
	return fd, err
}

// sharesNetNS compares the namespaces' cookies. Before Linux 5.14 sockets had
// none to show; both are 0 then.
func (s *sysSocket) sharesNetNS(other *sysSocket) bool {
	own, _ := s.netNSCookie()
	its, _ := other.netNSCookie()
	return own == its
}

func (s *sysSocket) netNSCookie() (cookie uint64, err error) {
	err = s.control(func(fd int) (err error) {
		cookie, err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
		return err
	})
	return cookie, err
}

// closeFD closes what was only read from: there is no error to tell.
func closeFD(fd int) { _ = unix.Close(fd) }

func bind(fd int, portID uint32) error {
	return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: portID})
}

func bindError(protocol int, portID uint32, err error) error {
	e := &OpError{Op: opBind, Protocol: protocol, Err: err}
	if errors.Is(err, unix.EADDRINUSE) {
		e.Hint = "port ID " + strconv.FormatUint(uint64(portID), 10) + " is taken"
	}
	return e
}

func boundPort(fd int) (uint32, error) {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	sa, ok := name.(*unix.SockaddrNetlink)
	if !ok {
		return 0, unix.EAFNOSUPPORT
	}
	return sa.Pid, nil
}
