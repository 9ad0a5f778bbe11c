package netlink

// A Config contains options for [Dial]. The zero Config sets no option.
type Config struct {
	// Groups is a bit mask of multicast groups to join: bit 0 is group 1. Use [Conn.JoinGroup]
	// for groups above 32.
	Groups uint32

	// NetNS is a file descriptor of the network namespace for the socket. It requires
	// CAP_SYS_ADMIN. 0 selects the namespace of the calling thread.
	NetNS int

	// DisableNSLockThread has no effect.
	//
	// Deprecated: do not set it. It exists for old programs.
	DisableNSLockThread bool

	// PID is the port ID to bind. With 0 the kernel chooses one, which is recommended.
	PID uint32

	// Strict sets the options ExtendedAcknowledge and GetStrictCheck. Dial fails if the kernel
	// lacks one of them.
	Strict bool

	// MessageBufferSize is the size of the receive buffer in bytes. A longer datagram is an
	// error. 0 selects a size that no datagram of the kernel exceeds. This implementation does
	// not peek at the kernel's datagrams, so there is no reason to set a size.
	MessageBufferSize int
}
