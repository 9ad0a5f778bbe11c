package socket

// A Datagram is one place of a batch to receive.
type Datagram struct {
	Buf  []byte // the caller's: where the datagram goes
	N    int    // how many bytes of Buf are filled
	Info Info   // where it came from
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

// ReceiveBatch waits for a datagram and takes it and those queued behind it,
// as many as batch has places, with one recvmmsg(2). It returns how many places
// it filled, from the front: at most 1024, and 0 at once for an empty batch. A
// datagram that was cut has its own Err.
//
// An error stands alone (n is 0), with the meanings of [Socket.Receive]. One
// that comes up behind a datagram is kept by the kernel for the next call.
func (s *Socket) ReceiveBatch(batch []Datagram) (n int, err error) {
	n, err = s.sys.receiveBatch(batch)
	return n, s.wrap(opRecvmmsg, err)
}

// SendBatch sends datagrams to the kernel, in order, with one sendmmsg(2) per
// 1024 of them. The kernel handles each before it takes the next. An error ends
// the batch: sent is how many went out, and it belongs to datagrams[sent].
//
// The answers queue up meanwhile and must fit into the receive buffer. Requests
// that can share a datagram are cheaper still.
func (s *Socket) SendBatch(datagrams [][]byte) (sent int, err error) {
	sent, err = s.sys.sendBatch(datagrams, Addr{}, false)
	return sent, s.wrap(opSendmmsg, err)
}

// SendBatchTo sends datagrams to one address, as [Socket.SendTo] does. When the
// address has groups, it takes one system call for each datagram: an error of
// the unicast half would hide whether the multicast half was done.
func (s *Socket) SendBatchTo(datagrams [][]byte, to Addr) (sent int, err error) {
	sent, err = s.sys.sendBatch(datagrams, to, true)
	return sent, s.wrap(opSendmmsg, err)
}
