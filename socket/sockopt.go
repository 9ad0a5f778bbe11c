package socket

// Join makes the socket a member of a multicast group of its protocol, by number, which may
// be above 32. Joining a group again is not an error.
//
// EINVAL means that the protocol has no such group (or that it is 0), EPERM that the group
// requires a capability. On Generic Netlink a socket can join numbers that belong to no
// family; it receives nothing from them.
func (s *Socket) Join(group uint32) error {
	return s.wrap("setsockopt "+nameAddMembership, s.sys.setMembership(optAddMembership, group))
}

// Leave ends a membership. Leaving a group that was not joined is not an error. Datagrams
// that are already queued are still received.
func (s *Socket) Leave(group uint32) error {
	return s.wrap("setsockopt "+nameDropMembership, s.sys.setMembership(optDropMembership, group))
}

// Groups returns the joined groups in ascending order. The caller owns the slice.
func (s *Socket) Groups() ([]uint32, error) {
	words, err := s.sys.memberships()
	return groupsOf(words), s.wrap("getsockopt "+nameListMemberships, err)
}

// groupsOf converts the kernel's mask to numbers: bit 0 of word 0 is group 1.
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

// SetReceiveBuffer requests a receive buffer of the given size. The kernel doubles the size
// for its bookkeeping. A queued datagram counts with its sk_buff, so that small ones take
// 700 bytes or more.
//
// It tries SO_RCVBUFFORCE first, which can exceed net.core.rmem_max and requires
// CAP_NET_ADMIN. If the kernel refuses or does not support it, SetReceiveBuffer uses
// SO_RCVBUF, which applies that limit without an error: [Socket.ReceiveBuffer] returns the
// actual size.
func (s *Socket) SetReceiveBuffer(bytes int) error {
	return s.wrap("setsockopt SO_RCVBUF", s.sys.setReceiveBuffer(bytes))
}

// SetSendBuffer requests a send buffer of the given size, in the same way with
// SO_SNDBUFFORCE, SO_SNDBUF and net.core.wmem_max. It limits the size of a datagram: a
// longer one is EMSGSIZE (netlink_sendmsg).
func (s *Socket) SetSendBuffer(bytes int) error {
	return s.wrap("setsockopt SO_SNDBUF", s.sys.setSendBuffer(bytes))
}

// ForceReceiveBuffer is SetReceiveBuffer with SO_RCVBUFFORCE only: without CAP_NET_ADMIN it
// returns EPERM.
func (s *Socket) ForceReceiveBuffer(bytes int) error {
	return s.wrap("setsockopt SO_RCVBUFFORCE", s.sys.forceReceiveBuffer(bytes))
}

// ForceSendBuffer is SetSendBuffer with SO_SNDBUFFORCE only.
func (s *Socket) ForceSendBuffer(bytes int) error {
	return s.wrap("setsockopt SO_SNDBUFFORCE", s.sys.forceSendBuffer(bytes))
}

// ReceiveBuffer returns the size of the receive buffer in bytes as the kernel counts it,
// twice the requested size.
func (s *Socket) ReceiveBuffer() (bytes int, err error) {
	bytes, err = s.sys.receiveBuffer()
	return bytes, s.wrap("getsockopt SO_RCVBUF", err)
}

// SendBuffer returns the size of the send buffer in bytes as the kernel counts it, twice
// the requested size.
func (s *Socket) SendBuffer() (bytes int, err error) {
	bytes, err = s.sys.sendBuffer()
	return bytes, s.wrap("getsockopt SO_SNDBUF", err)
}

// Drops returns the number of datagrams that the socket has lost because its receive buffer
// was full. One ENOBUFS can stand for many of them, and with [NoENOBUFS] the count is the
// only sign. Datagrams that a filter rejects do not count.
//
// The count is sk_drops of the kernel's struct sock (SK_MEMINFO_DROPS of SO_MEMINFO, as
// shown by "ss -f netlink -e"). It has 32 bits and wraps: to get a difference, subtract an
// earlier value as uint32.
func (s *Socket) Drops() (datagrams uint32, err error) {
	datagrams, err = s.sys.drops()
	return datagrams, s.wrap("getsockopt SO_MEMINFO", err)
}

// An Instruction is one step of a classic BPF program, struct sock_filter of
// linux/filter.h. golang.org/x/net/bpf assembles programs; its RawInstruction
// has the same fields.
type Instruction struct {
	Op     uint16 // code: class, size, mode or operation
	Jt, Jf uint8  // number of instructions to skip if true, if false
	K      uint32 // operand
}

// AttachFilter sets the program that filters datagrams before they are queued. It replaces
// an earlier one. The program receives every datagram from its first byte, the nlmsghdr,
// and returns the number of bytes to keep: 0 drops the datagram, ^uint32(0) keeps all of
// it, and a number below its length truncates it without an error.
//
// Loads of two and four bytes are big-endian, but netlink fields are in host byte order: on
// a little-endian machine, compare with swapped constants. EINVAL means that the kernel
// rejected the program (bpf_check_classic). The program is copied. It does not affect
// datagrams that are already queued.
func (s *Socket) AttachFilter(program []Instruction) error {
	return s.wrap("setsockopt SO_ATTACH_FILTER", s.sys.attachFilter(program))
}

// DetachFilter removes the filter. Without a filter it returns ENOENT.
func (s *Socket) DetachFilter() error {
	return s.wrap("setsockopt SO_DETACH_FILTER", s.sys.detachFilter())
}
