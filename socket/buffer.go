package socket

// SetReceiveBuffer asks for a receive buffer of so many bytes. The kernel
// doubles the number to make room for its bookkeeping; a queued datagram
// counts with its sk_buff, so that small ones take 700 bytes and more.
//
// It tries SO_RCVBUFFORCE first, which goes beyond net.core.rmem_max and needs
// CAP_NET_ADMIN, then, if that is refused or unknown, SO_RCVBUF, which stops at that limit without an error:
// look at [Socket.ReceiveBuffer] for what came of it.
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
