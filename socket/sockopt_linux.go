package socket

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The functions take a descriptor, because Open has no Socket yet. The methods call them
// with the descriptor of an open socket.

func setFlag(fd int, f Flag, on bool) error {
	if !f.known() {
		return unix.ENOPROTOOPT
	}
	value := 0
	if on {
		value = 1
	}
	return unix.SetsockoptInt(fd, unix.SOL_NETLINK, int(f), value)
}

// hasControl reports whether the kernel adds control messages for a flag.
func (f Flag) hasControl() bool { return f == PacketInfo || f == ListenAllNSID }

func (s *sysSocket) setFlag(f Flag, on bool) error {
	if f.hasControl() {
		s.r.control.Store(true) // remains set for the life of the socket
	}
	return s.control(func(fd int) error { return setFlag(fd, f, on) })
}

func (s *sysSocket) flag(f Flag) (on bool, err error) {
	if !f.known() {
		return false, unix.ENOPROTOOPT
	}
	value, err := s.intOption(unix.SOL_NETLINK, int(f))
	return value != 0, err
}

// intOption reads an option that is an int.
func (s *sysSocket) intOption(level, name int) (value int, err error) {
	err = s.control(func(fd int) (err error) {
		value, err = unix.GetsockoptInt(fd, level, name)
		return err
	})
	return value, err
}

// setMembership joins or leaves a group. The kernel converts the int back to unsigned.
func setMembership(fd, option int, group uint32) error {
	return unix.SetsockoptInt(fd, unix.SOL_NETLINK, option, int(group))
}

func (s *sysSocket) setMembership(option int, group uint32) error {
	return s.control(func(fd int) error { return setMembership(fd, option, group) })
}

// memberships returns the kernel's mask of groups.
func (s *sysSocket) memberships() (words []uint32, err error) {
	err = s.control(func(fd int) (err error) {
		words, err = memberships(fd)
		return err
	})
	return words, err
}

// memberships asks for the size first. Before Linux 6.4 the returned size is rounded down:
// it is 4 bytes for 38 groups, although the kernel writes all words if there is room.
// memberships therefore adds one word and reads all of them, regardless of the returned
// size.
func memberships(fd int) ([]uint32, error) {
	size, err := getWords(fd, unix.SOL_NETLINK, optListMemberships, nil)
	if err != nil {
		return nil, err
	}
	words := make([]uint32, size/4+1)
	_, err = getWords(fd, unix.SOL_NETLINK, optListMemberships, words)
	return words, err
}

// drops reads one of the nine counters of SO_MEMINFO (linux/sock_diag.h).
func (s *sysSocket) drops() (uint32, error) {
	var counters [unix.SK_MEMINFO_VARS]uint32
	err := s.control(func(fd int) error {
		_, err := getWords(fd, unix.SOL_SOCKET, unix.SO_MEMINFO, counters[:])
		return err
	})
	return counters[unix.SK_MEMINFO_DROPS], err
}

// getWords is getsockopt(2) for an array of u32, which package unix lacks. It returns the
// length that the kernel reports, in bytes.
func getWords(fd, level, name int, words []uint32) (int, error) {
	size := uint32(4 * len(words)) // socklen_t
	_, _, errno := syscall.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(unsafe.SliceData(words))), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(size), nil
}

func setReceiveBuffer(fd, bytes int) error {
	return setBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, bytes)
}

func setSendBuffer(fd, bytes int) error {
	return setBuffer(fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, bytes)
}

// setBuffer exceeds the system's limit if that is permitted.
func setBuffer(fd, force, limited, bytes int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, bytes)
	if errors.Is(err, unix.EPERM) || isUnknown(err) {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, limited, bytes)
	}
	return err
}

func (s *sysSocket) setReceiveBuffer(bytes int) error {
	return s.control(func(fd int) error { return setReceiveBuffer(fd, bytes) })
}

func (s *sysSocket) setSendBuffer(bytes int) error {
	return s.control(func(fd int) error { return setSendBuffer(fd, bytes) })
}

func (s *sysSocket) receiveBuffer() (int, error) {
	return s.intOption(unix.SOL_SOCKET, unix.SO_RCVBUF)
}

func (s *sysSocket) sendBuffer() (int, error) {
	return s.intOption(unix.SOL_SOCKET, unix.SO_SNDBUF)
}

// forceBuffer exceeds the system's limit, or fails.
func (s *sysSocket) forceBuffer(option, bytes int) error {
	return s.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, bytes) })
}

func (s *sysSocket) forceReceiveBuffer(bytes int) error {
	return s.forceBuffer(unix.SO_RCVBUFFORCE, bytes)
}

func (s *sysSocket) forceSendBuffer(bytes int) error {
	return s.forceBuffer(unix.SO_SNDBUFFORCE, bytes)
}

// attachFilter converts the program to the kernel's type. The length field has 16 bits; the
// kernel's limit is 4096 (BPF_MAXINSNS), above which it returns EINVAL.
func attachFilter(fd int, program []Instruction) error {
	if len(program) == 0 || len(program) > unix.BPF_MAXINSNS {
		return unix.EINVAL
	}
	code := make([]unix.SockFilter, len(program))
	for i, in := range program {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
}

func (s *sysSocket) attachFilter(program []Instruction) error {
	return s.control(func(fd int) error { return attachFilter(fd, program) })
}

func (s *sysSocket) detachFilter() error {
	return s.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	})
}
