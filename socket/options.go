package socket

// An Option changes how [Open] makes a socket.
type Option func(*config)

// config is what the options add up to.
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

// wish is a flag to turn on. A kernel need not have one that is optional.
type wish struct {
	Flag
	isOptional bool
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

// WithGroupMask joins the groups 1 to 32 of a mask in the same step that binds the socket
// (nl_groups of struct sockaddr_nl): bit 0 is group 1. The kernel ignores bits of groups
// that the protocol does not have, which [WithGroups] refuses.
func WithGroupMask(mask uint32) Option {
	return func(c *config) { c.groupMask = mask }
}

// WithoutBind leaves binding to the kernel, which does it at the first send
// (netlink_autobind); [Socket.PortID] is 0 before. Open does so by itself where binding
// is refused with EACCES, as Android does for NETLINK_ROUTE.
func WithoutBind() Option {
	return func(c *config) { c.isUnbound = true }
}

// WithFlags turns boolean options on, as [Socket.SetFlag] does. Open fails when the
// kernel does not have one of them.
func WithFlags(flags ...Flag) Option {
	return func(c *config) { c.add(flags, false) }
}

// WithPreferredFlags is WithFlags for flags that the kernel need not have: one that is unknown to it, or
// to the sandbox in its place (ENOPROTOOPT, EINVAL, EOPNOTSUPP, ENOSYS), is left out.
func WithPreferredFlags(flags ...Flag) Option {
	return func(c *config) { c.add(flags, true) }
}

func (c *config) add(flags []Flag, isOptional bool) {
	for _, f := range flags {
		c.flags = append(c.flags, wish{f, isOptional})
	}
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
