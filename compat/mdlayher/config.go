package netlink

// A Config has the options of [Dial]. The zero Config is one without options.
type Config struct {
	// Groups is a mask of multicast groups to join: bit 0 is group 1. For groups above 32
	// see [Conn.JoinGroup].
	Groups uint32

	// NetNS is the descriptor of a network namespace in which the socket is made, which
	// needs CAP_SYS_ADMIN. 0 is the namespace of the calling thread.
	NetNS int

	// DisableNSLockThread does nothing.
	//
	// Deprecated: it has had no effect for years.
	DisableNSLockThread bool

	// PID is the port ID to bind to. 0 lets the kernel choose, as most programs should.
	PID uint32

	// Strict sets the options ExtendedAcknowledge and GetStrictCheck. Dial fails if the
	// kernel does not have them.
	Strict bool

	// MessageBufferSize is the size in bytes of the buffer that a datagram is received into;
	// a longer one is an error. 0 is a size that no datagram exceeds. There is no reason to
	// set it with this implementation, which never peeks at the kernel's datagrams.
	MessageBufferSize int
}
