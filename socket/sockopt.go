package socket

// Join makes the socket a member of a multicast group of its protocol, by the
// group's number, which may be above 32. Joining twice is no error.
//
// EINVAL means that the protocol has no such group (or that it is 0), EPERM
// that the group needs a capability. Generic Netlink lets a socket join
// numbers that no family owns; nothing is received from them.
func (s *Socket) Join(group uint32) error {
	return s.wrap("setsockopt "+nameAddMembership, s.sys.setMembership(optAddMembership, group))
}

// Leave ends a membership. Leaving a group that was not joined is no error.
// Datagrams queued before are still received.
func (s *Socket) Leave(group uint32) error {
	return s.wrap("setsockopt "+nameDropMembership, s.sys.setMembership(optDropMembership, group))
}

// Groups lists the groups that the socket is a member of, in ascending order.
// The slice is the caller's.
func (s *Socket) Groups() ([]uint32, error) {
	words, err := s.sys.memberships()
	return groupsOf(words), s.wrap("getsockopt "+nameListMemberships, err)
}

// groupsOf turns the kernel's mask into numbers: bit 0 of word 0 is group 1.
func groupsOf(words []uint32) []uint32 {
	var groups []uint32
	for i, word := range words {
		for bit := range 32 {
			if word&(1<<bit) != 0 {
				groups = append(groups, uint32(32*i+bit+1))
			}
		}
	}
	return groups
}

// SetReceiveBuffer asks for a receive buffer of so many bytes. The kernel
// doubles the number to make room for its bookkeeping; a queued datagram
// counts with its sk_buff, so that small ones take 700 bytes and more.
//
// It tries SO_RCVBUFFORCE first, which goes beyond net.core.rmem_max and needs
// CAP_NET_ADMIN. If that is refused or unknown it tries SO_RCVBUF, which stops at that
// limit without an error: [Socket.ReceiveBuffer] returns the size that was set.
func (s *Socket) SetReceiveBuffer(bytes int) error {
	return s.wrap("setsockopt SO_RCVBUF", s.sys.setReceiveBuffer(bytes))
}

// SetSendBuffer asks for a send buffer of so many bytes, in the same way with
// SO_SNDBUFFORCE, SO_SNDBUF and net.core.wmem_max. It limits the size of one
// datagram: a longer one is EMSGSIZE (netlink_sendmsg).
func (s *Socket) SetSendBuffer(bytes int) error {
	return s.wrap("setsockopt SO_SNDBUF", s.sys.setSendBuffer(bytes))
}

// ForceReceiveBuffer is SetReceiveBuffer with SO_RCVBUFFORCE only: without CAP_NET_ADMIN
// it fails with EPERM.
func (s *Socket) ForceReceiveBuffer(bytes int) error {
	return s.wrap("setsockopt SO_RCVBUFFORCE", s.sys.forceReceiveBuffer(bytes))
}

// ForceSendBuffer is SetSendBuffer with SO_SNDBUFFORCE only.
func (s *Socket) ForceSendBuffer(bytes int) error {
	return s.wrap("setsockopt SO_SNDBUFFORCE", s.sys.forceSendBuffer(bytes))
}

// ReceiveBuffer returns the size of the receive buffer in bytes as the kernel
// counts it, which is twice what was asked for.
func (s *Socket) ReceiveBuffer() (bytes int, err error) {
	bytes, err = s.sys.receiveBuffer()
	return bytes, s.wrap("getsockopt SO_RCVBUF", err)
}

// SendBuffer returns the size of the send buffer in bytes as the kernel counts
// it, which is twice what was asked for.
func (s *Socket) SendBuffer() (bytes int, err error) {
	bytes, err = s.sys.sendBuffer()
	return bytes, s.wrap("getsockopt SO_SNDBUF", err)
}

// Drops returns how many datagrams this socket lost since it was opened because
// its receive buffer was full. One ENOBUFS can stand for many of them, and with
// [NoENOBUFS] the count is the only sign. A filter's refusals do not count.
//
// It is sk_drops of the kernel's struct sock (SK_MEMINFO_DROPS of SO_MEMINFO, as
// shown by "ss -f netlink -e"), 32 bits that wrap: subtract an earlier value as
// uint32 to get the number in between.
func (s *Socket) Drops() (datagrams uint32, err error) {
	datagrams, err = s.sys.drops()
	return datagrams, s.wrap("getsockopt SO_MEMINFO", err)
}

// An Instruction is one step of a classic BPF program, struct sock_filter of
// linux/filter.h. golang.org/x/net/bpf assembles programs; its RawInstruction
// has the same fields.
type Instruction struct {
	Op     uint16 // code: class, size, mode or operation
	Jt, Jf uint8  // how many instructions to skip when true, when false
	K      uint32 // operand
}

// AttachFilter sets the program that filters datagrams before they are queued; it
// replaces an earlier one. The program sees every datagram from its first byte, the
// nlmsghdr, and returns how many bytes to keep: 0 drops the datagram, ^uint32(0) keeps
// all of it, less than its length cuts it without any sign.
//
// Loads of two and four bytes are big-endian, netlink's fields are in host byte
// order: compare with swapped constants on a little-endian machine. EINVAL
// means that the kernel's checker refused the program (bpf_check_classic).
// The program is copied; datagrams queued before stay.
func (s *Socket) AttachFilter(program []Instruction) error {
	return s.wrap("setsockopt SO_ATTACH_FILTER", s.sys.attachFilter(program))
}

// DetachFilter removes the filter. Without one the error is ENOENT.
func (s *Socket) DetachFilter() error {
	return s.wrap("setsockopt SO_DETACH_FILTER", s.sys.detachFilter())
}
