package socket

// BufferSize is a good size for receive buffers, in bytes. The kernel builds
// the datagrams of a dump as large as the largest buffer that the socket has
// ever offered, up to 32 KiB (max_recvmsg_len of netlink_recvmsg). Offer that
// much from the first receive on: with less, dumps take more system calls, and
// some fail because one of their messages does not fit.
const BufferSize = 32 << 10

// An Addr is the destination of a datagram: struct sockaddr_nl without the family.
type Addr struct {
	PortID uint32 // of one socket; 0 is the kernel
	Groups uint32 // mask: bit 0 is group 1, bit 31 is group 32
}

// Info has the sender and the length of a datagram.
type Info struct {
	PortID  uint32 // sender's port ID; 0 is the kernel
	Groups  uint32 // sender's nl_groups, the group of a multicast if below 33, as a mask
	Group   uint32 // multicast group, any number; 0 for unicast or without PacketInfo
	NSID    int32  // namespace it was sent in, if HasNSID
	HasNSID bool   // from another namespace; needs ListenAllNSID
	Size    int    // length in bytes, also of what did not fit into the buffer
}

// Send sends one datagram to the kernel, which handles it before Send returns:
// a request that waits for a lock of the kernel makes Send wait too. The kernel
// does not keep b.
//
// No address is given to the system call. That is not the same as SendTo with
// the kernel's address 0: without one, a request that needs a capability needs
// it twice, in whoever opened the socket and in the sender. With one, the
// kernel does not check the opener (NETLINK_SKB_DST of af_netlink.c), so that a socket
// handed over by a privileged process would permit more than it should.
//
// An empty b is ENODATA. Errors of the request itself arrive as a reply, not here.
func (s *Socket) Send(b []byte) error {
	err := s.sys.sendOnce(b, Addr{}, false)
	if err != nil {
		err = s.wrap(opSendto, s.sys.sendOn(err, b, Addr{}, false))
	}
	return err
}

// SendTo sends one datagram to a socket, to groups, or to both. It is meant for
// protocols between processes ([UserSock]); elsewhere it needs CAP_NET_ADMIN.
// See [Socket.Send] for the difference to the address 0. The kernel copies b.
//
// When the receive buffer of the peer is full, SendTo waits until there is room,
// up to the write deadline. Members of groups that are full lose the datagram
// (and see ENOBUFS); the sender sees no error. ECONNREFUSED means that no socket
// has the port ID. With groups and no port ID it would only say that the kernel
// does not listen as well, while the members have got the datagram; so it is
// no error then.
func (s *Socket) SendTo(b []byte, to Addr) error {
	err := s.sys.sendOnce(b, to, true)
	return s.wrap(opSendto, s.sys.sendOn(err, b, to, true))
}

// TrySendTo is SendTo without waiting: [ErrFull] when the receive buffer of the
// peer is. For senders that must not be held up by a peer that does not receive.
func (s *Socket) TrySendTo(b []byte, to Addr) error {
	err := s.sys.sendOnce(b, to, true)
	if isFull(err) {
		return ErrFull
	}
	return s.wrap(opSendto, err)
}

// SendVec is Send of one datagram whose bytes are in several slices, in their order. It is
// sendmsg(2) with an iovec for each slice, so that the caller need not join them; empty
// slices are allowed. Up to 8 slices allocate nothing; more than 1024 are EMSGSIZE
// (UIO_MAXIOV). The kernel copies the bytes.
func (s *Socket) SendVec(bufs ...[]byte) error {
	return s.wrap(opSendmsg, s.sys.sendVec(bufs))
}

// Receive waits for a datagram and copies it into b. It returns how many bytes
// of b are filled; 0 without an error is an empty datagram, which other
// processes can send. b is the caller's before and after. See [BufferSize] for
// its size.
//
// A datagram longer than b is cut: n is len(b), info.Size the length it had,
// and err is [ErrTruncated]. ENOBUFS means that the socket lost messages before
// the ones that still are to be received; the socket stays usable. Errors
// that end a dump can appear here, too.
//
// Check info.PortID: only datagrams from port 0 come from the kernel.
func (s *Socket) Receive(b []byte) (n int, info Info, err error) {
	n, info, err = s.sys.receive(b, true)
	return n, info, s.wrapReceive(opRecvmsg, err)
}

// Wait waits until Receive would return something, a datagram or an error, and takes
// neither: no buffer is needed meanwhile. It ends as Receive does: with
// os.ErrDeadlineExceeded, or os.ErrClosed. Another receiver may be faster, so go on with
// [Socket.TryReceive].
func (s *Socket) Wait() error { return s.wrap(opWait, s.sys.wait()) }

// NextSize waits for a datagram and returns its length in bytes, for a buffer that holds all
// of it; the datagram stays queued. It costs a system call for each datagram: offer a
// [BufferSize] or more without asking where the kernel sends, and ask where other
// processes do, whose datagrams are as long as their send buffer allows. Another receiver
// may be faster, so go on with [Socket.TryReceive].
//
// An error that is queued is taken, as by [Socket.Receive].
func (s *Socket) NextSize() (int, error) {
	n, err := s.sys.nextSize()
	return n, s.wrap(opRecvmsg, err)
}

// TryReceive is Receive without waiting: [ErrEmpty] when no datagram is queued,
// or when another receiver is about to take it. Deadlines do not matter to it.
func (s *Socket) TryReceive(b []byte) (n int, info Info, err error) {
	n, info, err = s.sys.receive(b, false)
	return n, info, s.wrapReceive(opRecvmsg, err)
}

// A Datagram is one place of a batch to receive.
type Datagram struct {
	Buf  []byte // the caller's buffer for the datagram
	N    int    // how many bytes of Buf are filled
	Info Info   // its sender
	Err  error  // nil, ErrTruncated or ErrSender
}

// Bytes returns the datagram. It aliases Buf.
func (d *Datagram) Bytes() []byte { return d.Buf[:d.N] }

// MakeBatch makes n datagrams with buffers of size bytes each, cut out of one
// piece of memory. A batch can as well be made by hand, with buffers of its own.
func MakeBatch(n, size int) []Datagram {
	block := make([]byte, n*size)
	batch := make([]Datagram, n)
	for i := range batch {
		batch[i].Buf = block[i*size : (i+1)*size : (i+1)*size]
	}
	return batch
}

// ReceiveBatch waits for a datagram and takes it and those queued after it,
// as many as batch has places, with one recvmmsg(2). It returns how many places
// it filled, from the first: at most 1024, and 0 at once for an empty batch. A
// datagram that was cut has its own Err.
//
// With an error n is 0; the errors are those of [Socket.Receive]. An error after the
// first datagram is returned by the next call.
func (s *Socket) ReceiveBatch(batch []Datagram) (n int, err error) {
	n, err = s.sys.receiveBatch(batch)
	return n, s.wrap(opRecvmmsg, err)
}

// Names of the calls in errors; hint knows them.
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
