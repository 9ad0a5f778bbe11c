package socket

// An Option configures the socket of [Open].
type Option func(*config)

// config is the result of the options.
type config struct {
	portID        uint32
	isUnbound     bool
	groupMask     uint32
	groups        []uint32
	flags         []wish
	receiveBuffer *int
	sendBuffer    *int
	netNS         *int
	filter        []Instruction
	probe         probe
}

// wish is a flag to turn on. If it is optional, the kernel may lack it.
type wish struct {
	Flag
	isOptional bool
}

// WithPortID binds the socket to a chosen port ID. Open fails with EADDRINUSE if another
// socket of the same protocol and network namespace has it. The default is 0: the kernel
// chooses.
func WithPortID(id uint32) Option {
	return func(c *config) { c.portID = id }
}

// WithGroups joins multicast groups after binding the socket, like [Socket.Join]. Several
// WithGroups add up.
func WithGroups(groups ...uint32) Option {
	return func(c *config) { c.groups = append(c.groups, groups...) }
}

// WithGroupMask joins groups 1 to 32 by a mask, atomically with binding the socket
// (nl_groups of struct sockaddr_nl): bit 0 is group 1. The kernel ignores bits of groups
// that the protocol does not have; for these groups [WithGroups] returns an error.
func WithGroupMask(mask uint32) Option {
	return func(c *config) { c.groupMask = mask }
}

// WithoutBind leaves binding to the kernel, which binds the socket at the first send
// (netlink_autobind). [Socket.PortID] is 0 before that. Open does this automatically if
// binding fails with EACCES, as on Android for NETLINK_ROUTE.
func WithoutBind() Option {
	return func(c *config) { c.isUnbound = true }
}

// WithFlags turns boolean options on, like [Socket.SetFlag]. Open fails if the kernel does
// not support one of them.
func WithFlags(flags ...Flag) Option {
	return func(c *config) { c.add(flags, false) }
}

// WithPreferredFlags is WithFlags for optional flags. A flag that the kernel, or a sandbox
// that replaces it, does not support (ENOPROTOOPT, EINVAL, EOPNOTSUPP, ENOSYS) is ignored.
func WithPreferredFlags(flags ...Flag) Option {
	return func(c *config) { c.add(flags, true) }
}

func (c *config) add(flags []Flag, isOptional bool) {
	for _, f := range flags {
		c.flags = append(c.flags, wish{f, isOptional})
	}
}

// WithReceiveBuffer sets the size of the receive buffer, like [Socket.SetReceiveBuffer],
// before the socket can receive.
func WithReceiveBuffer(bytes int) Option {
	return func(c *config) { c.receiveBuffer = &bytes }
}

// WithSendBuffer sets the size of the send buffer, like [Socket.SetSendBuffer].
func WithSendBuffer(bytes int) Option {
	return func(c *config) { c.sendBuffer = &bytes }
}

// WithFilter attaches a filter before the socket is bound, so that no datagram bypasses it.
// See [Socket.AttachFilter].
func WithFilter(program ...Instruction) Option {
	return func(c *config) { c.filter = program }
}

// WithNetNS makes the socket inside the network namespace of fd, a descriptor of
// /proc/PID/ns/net or /run/netns/NAME. The socket stays in that namespace. The caller keeps
// fd and may close it when Open has returned. This requires CAP_SYS_ADMIN over the
// namespace. Only a thread without other goroutines enters the namespace, for the duration
// of one socket(2).
func WithNetNS(fd int) Option {
	return func(c *config) { c.netNS = &fd }
}
