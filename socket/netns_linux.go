package socket

import (
	"golang.org/x/sys/unix"
)

// namespace identifies the network namespace of a socket as far as it is known. Two sockets
// can be compared if both have the same field.
type namespace struct {
	cookie uint64 // SO_NETNS_COOKIE, 0 if the kernel has none (before Linux 5.14)
	thread nsID   // namespace of the thread that made the socket, if there is no cookie
}

// nsID identifies a namespace by its file in /proc. The zero value is unknown.
type nsID struct{ dev, inode uint64 }

// probe has the functions that identify a namespace. Tests replace them; nil selects the
// kernel's.
type probe struct {
	cookie func(fd int) (uint64, error)
	owner  func(fd int) (nsFD int, err error) // SIOCGSKNS
	thread func() (nsID, error)
}

// identify returns the cheap identification of the namespace of a descriptor that this
// thread has just made.
func (p *probe) identify(fd int) (ns namespace) {
	if ns = p.identifyByCookie(fd); ns.cookie != 0 {
		return ns
	}
	thread := threadNetNS
	if p.thread != nil {
		thread = p.thread
	}
	ns.thread, _ = thread() // unknown without /proc
	return ns
}

// identifyByCookie returns the identification by SO_NETNS_COOKIE, which depends on the
// descriptor only. Its cookie is 0 if the kernel has none.
func (p *probe) identifyByCookie(fd int) (ns namespace) {
	cookie := netNSCookie
	if p.cookie != nil {
		cookie = p.cookie
	}
	if v, err := cookie(fd); err == nil {
		ns.cookie = v
	}
	return ns
}

// open returns a descriptor of the namespace of a socket. It requires CAP_NET_ADMIN there
// (sock_ioctl, SIOCGSKNS).
func (p *probe) open(fd int) (nsFD int, err error) {
	if p.owner != nil {
		return p.owner(fd)
	}
	return unix.IoctlRetInt(fd, unix.SIOCGSKNS)
}

// ownerOf identifies the namespace of a socket by SIOCGSKNS.
func (p *probe) ownerOf(fd int) (id nsID, err error) {
	ns, err := p.open(fd)
	if err != nil {
		return id, err
	}
	defer unix.Close(ns)
	return fileID(ns)
}

func netNSCookie(fd int) (uint64, error) {
	return unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
}

// threadNetNS identifies the namespace of this thread. The caller has locked the thread.
func threadNetNS() (id nsID, err error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
		return id, err
	}
	return nsID{uint64(st.Dev), st.Ino}, nil
}

func fileID(fd int) (id nsID, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return id, err
	}
	return nsID{uint64(st.Dev), st.Ino}, nil
}

// compare reports whether two sockets are in the same namespace, and whether this is known.
func (s *sysSocket) compare(other *sysSocket, p *probe) (same, known bool) {
	a, b := s.origin, other.origin
	if a.cookie != 0 && b.cookie != 0 {
		return a.cookie == b.cookie, true
	}
	var ids [2]nsID
	var err error
	for i, socket := range []*sysSocket{s, other} {
		if err == nil {
			err = socket.control(func(fd int) (err error) {
				ids[i], err = p.ownerOf(fd)
				return err
			})
		}
	}
	if err == nil {
		return ids[0] == ids[1], true
	}
	return a.thread == b.thread, a.thread != nsID{} && b.thread != nsID{}
}

// sibling makes another socket in the namespace of s. It never guesses the namespace: if it
// cannot verify it, it returns an error.
func (s *Socket) sibling(c config) (*Socket, error) {
	if s.options.netNS != nil { // usually not the namespace of this thread
		if sibling, err := s.siblingInside(c); err == nil {
			return sibling, nil
		}
	}
	sibling, err := openWith(s.protocol, c)
	if err != nil {
		return nil, err
	}
	same, known := s.sys.compare(&sibling.sys, &c.probe)
	if same && known {
		return sibling, nil
	}
	_ = sibling.Close() // it may be in another namespace
	return s.siblingInside(c)
}

// siblingInside enters the namespace of s to make the sibling.
func (s *Socket) siblingInside(c config) (*Socket, error) {
	var ns int
	err := s.sys.control(func(fd int) (err error) {
		ns, err = c.probe.open(fd)
		return err
	})
	if err != nil {
		return nil, s.wrap("ioctl SIOCGSKNS", &netNSError{err})
	}
	defer unix.Close(ns)
	c.netNS = &ns
	return openWith(s.protocol, c)
}

// netNSError is ErrNetNS with the reason.
type netNSError struct{ reason error }

var _ interface{ Unwrap() []error } = (*netNSError)(nil) // for errors.Is

func (e *netNSError) Error() string { return ErrNetNS.Error() + ": " + e.reason.Error() }

// Unwrap returns ErrNetNS and the reason.
func (e *netNSError) Unwrap() []error { return []error{ErrNetNS, e.reason} }
