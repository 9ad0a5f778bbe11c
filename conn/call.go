package conn

import "sync"

// A call is what waits for answers: a request, a batch of them, or a dump. It is
// part of its Request, so that it costs no allocation. A lane's rd guards it
// while the lane knows it.
type call struct {
	requests []*Request // with consecutive sequence numbers
	first    uint32     // the first of these
	wake     chan struct{}

	awaiting int  // how many answers have yet to come
	sent     bool // the send is over: its answers are queued, if there are any
	done     bool // nothing more will come
	parked   bool // its goroutine waits for wake
	suspect  bool // answers may be lost: it ends when nothing is queued any more
	aborted  bool // a batch that failed as a whole

	// Of dumps:
	stream bool
	broken bool     // given up: what still comes is dropped
	queue  [][]byte // datagrams with nothing but messages for this dump
	queued int      // bytes in queue
}

// begin makes the call ready for another use.
func (c *call) begin(requests []*Request, stream bool) {
	if c.wake == nil {
		c.wake = make(chan struct{}, 1)
	}
	if len(c.wake) > 0 {
		<-c.wake // left over from an earlier use
	}
	*c = call{requests: requests, wake: c.wake, queue: c.queue[:0], stream: stream}
	for _, r := range requests {
		if c.awaits(r) {
			c.awaiting++
		}
	}
}

// owns reports whether a sequence number is one of the call's.
func (c *call) owns(seq uint32) bool { return seq-c.first < uint32(len(c.requests)) }

// request returns the request with a sequence number that the call owns.
func (c *call) request(seq uint32) *Request { return c.requests[seq-c.first] }

// ready reports whether there is something for the caller.
func (c *call) ready() bool { return c.done || len(c.queue) > 0 }

// awaits reports whether an answer to r is waited for. In a batch only what asks
// for an acknowledgement is: the messages around an nftables batch have none.
func (c *call) awaits(r *Request) bool { return len(c.requests) == 1 || r.asksAck() }

// fail ends the call for those of its requests that are not answered.
func (c *call) fail(err error) {
	for _, r := range c.requests {
		if !r.answered && c.awaits(r) {
			r.answered, r.err = true, err
		}
	}
	c.done = true
	c.notify()
}

// notify wakes the call's goroutine, if it has to be.
func (c *call) notify() {
	if !c.parked {
		return
	}
	c.parked = false
	select {
	case c.wake <- struct{}{}:
	default: // it has been told
	}
}

// pool keeps requests with their buffers for the next use.
type pool struct{ sync.Pool }

func (p *pool) get() *Request {
	if r, ok := p.Get().(*Request); ok {
		return r
	}
	r := &Request{pool: p}
	r.self[0] = r
	return r
}

// put drops what is too large to be kept for small requests.
func (p *pool) put(r *Request) {
	const large = 64 << 10
	if cap(r.B) <= large && cap(r.replies) <= large {
		p.Put(r)
	}
}

// A batch is the call of several requests, and the datagram that they go in.
type batch struct {
	call
	b []byte
}

// batchPool keeps batches for the next use.
type batchPool struct{ sync.Pool }

func (p *batchPool) get() *batch {
	if b, ok := p.Get().(*batch); ok {
		return b
	}
	return new(batch)
}

// put forgets the requests, which are the caller's.
func (p *batchPool) put(b *batch) {
	b.requests, b.b = nil, b.b[:0]
	p.Put(b)
}
