package socket

// An Option changes how [Open] makes a socket.
type Option func(*config)

// config is what the options add up to.
type config struct {
	portID        uint32
	groups        []uint32
	flags         []Flag
	receiveBuffer *int
	sendBuffer    *int
	netNS         *int
	filter        []Instruction
	raw           bool
}

// WithPortID binds the socket to a port ID of the caller's choice. It fails with
// EADDRINUSE when a socket of the same protocol and network namespace has it.
// 0, the default, lets the kernel choose.
func WithPortID(id uint32) Option {
	return func(c *config) { c.portID = id }
}

// WithGroups joins multicast groups once the socket is bound, as
// [Socket.Join] does. It adds to the groups of an earlier WithGroups.
func WithGroups(groups ...uint32) Option {
	return func(c *config) { c.groups = append(c.groups, groups...) }
}

// With turns boolean options on, as [Socket.SetFlag] does. Open fails when the
// kernel does not have one of them; to take what there is, open without and
// call SetFlag.
func With(flags ...Flag) Option {
	return func(c *config) { c.flags = append(c.flags, flags...) }
}

// WithReceiveBuffer sets the size of the receive buffer, as
// [Socket.SetReceiveBuffer] does, before the socket hears anything.
func WithReceiveBuffer(bytes int) Option {
	return func(c *config) { c.receiveBuffer = &bytes }
}

// WithSendBuffer sets the size of the send buffer, as [Socket.SetSendBuffer] does.
func WithSendBuffer(bytes int) Option {
	return func(c *config) { c.sendBuffer = &bytes }
}

// WithFilter attaches a filter before the socket is bound, so that nothing
// passes that it would have held back. See [Socket.AttachFilter].
func WithFilter(program ...Instruction) Option {
	return func(c *config) { c.filter = program }
}

// WithNetNS makes the socket inside the network namespace of fd, a descriptor
// of /proc/PID/ns/net or /run/netns/NAME, and it stays there for its life. The
// caller keeps fd and may close it when Open returns. It needs CAP_SYS_ADMIN
// over that namespace. Only a thread that serves no other goroutine enters the
// namespace, and only for the time of one socket(2).
func WithNetNS(fd int) Option {
	return func(c *config) { c.netNS = &fd }
}

// WithRawSyscalls has RoundTrip, Send, SendTo, Receive and their variants not tell
// the Go scheduler of their system calls: a short round trip takes 4 to 6 % less
// (BenchmarkRoundTrip). Use it for requests that the kernel can answer at once.
//
// The price is paid where the kernel sleeps in such a call, because a request waits
// for a lock, loads a module, or a receive makes it go on with a dump: a processor
// of the scheduler is held for that time, and a garbage collection waits for it,
// and everything else for that.
//
// Batches are as without it, and so is receiving with [PacketInfo] or
// [ListenAllNSID], after SyscallConn, and for good once a receive had to wait.
func WithRawSyscalls() Option {
	return func(c *config) { c.raw = true }
}
