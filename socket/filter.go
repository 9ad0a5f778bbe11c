package socket

// An Instruction is one step of a classic BPF program, struct sock_filter of
// linux/filter.h. golang.org/x/net/bpf assembles programs; its RawInstruction
// has the same fields.
type Instruction struct {
	Op     uint16 // code: class, size, mode or operation
	Jt, Jf uint8  // how many instructions to skip when true, when false
	K      uint32 // operand
}

// AttachFilter puts a program in front of the receive queue, in place of the
// one before. It sees every datagram from its first byte, the nlmsghdr, and
// returns how many bytes to keep: 0 drops the datagram, ^uint32(0) keeps all
// of it, less than its length cuts it without any sign.
//
// Loads of two and four bytes are big-endian, netlink's fields are in host byte
// order: compare with swapped constants on a little-endian machine. EINVAL
// means that the kernel's checker refused the program (bpf_check_classic).
// The program is copied; datagrams queued before stay.
func (s *Socket) AttachFilter(program []Instruction) error {
	return s.wrap("setsockopt SO_ATTACH_FILTER", s.sys.attachFilter(program))
}

// DetachFilter takes the filter away. Without one the error is ENOENT.
func (s *Socket) DetachFilter() error {
	return s.wrap("setsockopt SO_DETACH_FILTER", s.sys.detachFilter())
}
