package socket

// BufferSize is the recommended size of receive buffers, in bytes. The kernel makes the
// datagrams of a dump as large as the largest buffer that the socket has ever offered, up
// to 32 KiB (max_recvmsg_len of netlink_recvmsg). Use this size from the first receive on.
// With smaller buffers dumps take more system calls, and some fail because one of their
// messages does not fit.
const BufferSize = 32 << 10

// An Addr is the destination of a datagram: struct sockaddr_nl without the family.
type Addr struct {
	PortID uint32 // of a socket; 0 is the kernel
	Groups uint32 // mask: bit 0 is group 1, bit 31 is group 32
}

// Info describes the sender and the length of a datagram.
type Info struct {
	PortID  uint32 // sender's port ID; 0 is the kernel
	Groups  uint32 // sender's nl_groups: the multicast group as a mask, for groups 1 to 32
	Group   uint32 // multicast group, any number; 0 for unicast or without PacketInfo
	NSID    int32  // namespace that sent it, if HasNSID
	HasNSID bool   // sent from another namespace; requires ListenAllNSID
	Size    int    // length in bytes before truncation
}

// Send sends one datagram to the kernel, which handles it before Send returns: if the
// request waits for a lock of the kernel, Send waits too. The kernel does not keep b.
//
// Send passes no address to the system call. SendTo with address 0 differs. Without an
// address, a request that requires a capability requires it of the process that opened the
// socket and of the sender. With an address, the kernel does not check the opener
// (NETLINK_SKB_DST of af_netlink.c), so that a socket from a privileged process would grant
// too much.
//
// An empty b is ENODATA. Errors of the request itself arrive as a reply message, not here.
func (s *Socket) Send(b []byte) error {
	err := s.sys.sendOnce(b, Addr{}, false)
	if err != nil {
		err = s.wrap(opSendto, s.sys.sendOn(err, b, Addr{}, false))
	}
	return err
}

// SendTo sends one datagram to a socket, to groups, or to both. It is for protocols between
// processes ([UserSock]); on other protocols it requires CAP_NET_ADMIN. [Socket.Send]
// documents the difference between no address and address 0. The kernel copies b.
//
// If the receive buffer of the peer is full, SendTo waits for room, up to the write
// deadline. A group member with a full buffer loses the datagram (and gets ENOBUFS); the
// sender gets no error. ECONNREFUSED means that no socket has the port ID. With groups and
// without a port ID it only means that the kernel does not listen, although the members
// received the datagram; SendTo then returns nil.
func (s *Socket) SendTo(b []byte, to Addr) error {
	err := s.sys.sendOnce(b, to, true)
	return s.wrap(opSendto, s.sys.sendOn(err, b, to, true))
}

// TrySendTo is SendTo without waiting. It returns [ErrFull] if the receive buffer of the
// peer is full. It is for senders that a slow peer must not block.
func (s *Socket) TrySendTo(b []byte, to Addr) error {
	err := s.sys.sendOnce(b, to, true)
	if isFull(err) {
		return ErrFull
	}
	return s.wrap(opSendto, err)
}

// SendVec sends one datagram from several slices, in their order. It is sendmsg(2) with one
// iovec per slice, so that the caller does not have to join them; empty slices are allowed.
// Up to 8 slices cause no allocation; more than 1024 return EMSGSIZE (UIO_MAXIOV). The
// kernel copies the bytes.
func (s *Socket) SendVec(bufs ...[]byte) error {
	return s.wrap(opSendmsg, s.sys.sendVec(bufs))
}

// Receive waits for a datagram and copies it into b. It returns the number of bytes filled;
// 0 without an error is an empty datagram, which other processes can send. Receive does not
// keep b. See [BufferSize] for its size.
//
// A datagram longer than b is truncated: n is len(b), info.Size is its original length, and
// err is [ErrTruncated]. ENOBUFS means that the socket lost messages before those that are
// still queued; the socket remains usable. Errors that end a dump can be returned too.
//
// Check info.PortID: only datagrams from port ID 0 come from the kernel.
func (s *Socket) Receive(b []byte) (n int, info Info, err error) {
	n, info, err = s.sys.receive(b, true)
	return n, info, s.wrapReceive(opRecvmsg, err)
}

// Wait waits until Receive would return a datagram or an error, and takes neither. It needs
// no buffer. Like Receive it ends with os.ErrDeadlineExceeded or os.ErrClosed. Another
// receiver may take the datagram first, so continue with [Socket.TryReceive].
func (s *Socket) Wait() error { return s.wrap(opWait, s.sys.wait()) }

// NextSize waits for a datagram and returns its length in bytes; the datagram stays queued. It
// costs one more system call for each datagram. Use it where other processes send, whose
// datagrams are as long as their send buffers allow; for datagrams of the kernel a buffer of
// [BufferSize] or more is enough. Another receiver may take the datagram first, so continue with
// [Socket.TryReceive].
//
// Like [Socket.Receive] it takes a queued error.
func (s *Socket) NextSize() (int, error) {
	n, err := s.sys.nextSize()
	return n, s.wrap(opRecvmsg, err)
}

// TryReceive is Receive without waiting. It returns [ErrEmpty] if no datagram is queued, or
// if another receiver is about to take it. It ignores deadlines.
func (s *Socket) TryReceive(b []byte) (n int, info Info, err error) {
	n, info, err = s.sys.receive(b, false)
	return n, info, s.wrapReceive(opRecvmsg, err)
}

// A Datagram is one element of a batch to receive.
type Datagram struct {
	Buf  []byte // the caller's buffer for the datagram
	N    int    // number of bytes of Buf filled
	Info Info   // its sender
	Err  error  // nil, ErrTruncated or ErrSender
}

// Bytes returns the datagram. It aliases Buf.
func (d *Datagram) Bytes() []byte { return d.Buf[:d.N] }

// MakeBatch makes n datagrams with buffers of size bytes each, in one allocation. Callers
// can also make a batch with their own buffers.
func MakeBatch(n, size int) []Datagram {
	block := make([]byte, n*size)
	batch := make([]Datagram, n)
	for i := range batch {
		batch[i].Buf = block[i*size : (i+1)*size : (i+1)*size]
	}
	return batch
}

// ReceiveBatch waits for a datagram. It takes it and those queued after it, up to the
// length of batch, with one recvmmsg(2). It returns the number of elements filled, at most
// 1024. It returns 0 immediately for an empty batch. The Err of a truncated datagram is
// [ErrTruncated].
//
// With an error n is 0; the errors are those of [Socket.Receive]. An error after the first
// datagram is returned by the next call.
func (s *Socket) ReceiveBatch(batch []Datagram) (n int, err error) {
	n, err = s.sys.receiveBatch(batch)
	return n, s.wrap(opRecvmmsg, err)
}

// Names of calls in errors. hint depends on them.
const (
	opSocket   = "socket"
	opSetns    = "setns"
	opBind     = "bind"
	opSendto   = "sendto"
	opRecvmsg  = "receive"
	opRecvmmsg = "recvmmsg"
	opSendmsg  = "sendmsg"
	opWait     = "poll"
)
