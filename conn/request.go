package conn

import (
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nlmsg"
)

// Request is a request to be sent, and after it the answer. [Conn.Request] makes one,
// out of a pool; [Request.Release] returns it.
//
//	r := c.Request(family, nlmsg.FlagRequest, genlmsg.Append(h[:0], cmd, version))
//	defer r.Release()
//	r.B = nla.AppendUint32(r.B, attrIfindex, 7)
//	reply, err := c.Do(ctx, r)
//
// It is used by one goroutine at a time. An exchange with one that is in use, that was
// copied or released, or that no Conn made, fails with [ErrRequest].
type Request struct {
	// B is the message: header, the family's fixed header, and what the caller
	// appends to it. Its length and sequence number are written, and flags added
	// (nlmsg.FlagRequest; by Dump nlmsg.FlagDump), when it is sent; they stay in B.
	B []byte
	// Op is the name of the operation in errors: `get link "eth0"`. If it is empty,
	// the type of the message is used.
	Op string
	// Name returns the name of an attribute, for errors, given the types of the nests
	// around it, outermost first, and its own. It may be nil, and may return "". It is
	// called when the exchange is over.
	Name func(path []uint16) string
	// Seq is the sequence number to send. With 0 the Conn chooses one.
	Seq uint32
	// Deadline ends the exchange as ctx does, with [os.ErrDeadlineExceeded]. The zero
	// time means none. In a batch the earliest counts.
	Deadline time.Time

	header int         // length of the family's fixed header
	self   [1]*Request // also what an exchange of one has
	state  uint32      // atomic

	seq      uint32 // the sequence number that was sent
	awaited  bool   // the exchange waits for it
	answered bool   // nothing more will come
	replies  []byte // messages, aligned
	last     []byte // the message that ended the exchange, if it is none of replies
	ended    bool   // last is set

	interrupted bool // a list is inconsistent
	err         error
	warning     *Error
}

// The states of a Request.
const (
	stateFree uint32 = iota // released
	stateReady
	stateBusy
)

// Request returns a request with its header and the family's fixed header (a
// struct genlmsghdr, ifinfomsg, rtmsg, ...) in B, which are copied. Do states which
// flags make it end when.
func (c *Conn) Request(typ nlmsg.Type, flags nlmsg.Flags, header []byte) *Request {
	r := getRequest()
	r.B = nlmsg.Begin(r.B[:0], typ, flags, 0, 0)
	r.B = pad(append(r.B, header...))
	r.header = len(header)
	return r
}

// Release returns the request to the pool. Its replies are lost with it, and it must not
// be used again; a second Release panics. Not to call it costs an allocation later.
func (r *Request) Release() {
	if r.self[0] != r || !atomic.CompareAndSwapUint32(&r.state, stateReady, stateFree) {
		panic("conn: Release of a Request that was released before, is in use, was copied, or was not made by Conn.Request")
	}
	r.Op, r.Name, r.Seq, r.Deadline = "", nil, 0, time.Time{}
	r.reset()
	putRequest(r)
}

// Reply returns the first message that answered the request, nil if there was
// none but the acknowledgement. It is good until the request is released or
// used again; Clone or Take keeps it.
func (r *Request) Reply() nlmsg.Msg {
	m, _ := nlmsg.Consume(r.replies)
	return m
}

// Replies ranges over the messages that answered the request, without
// acknowledgement, error and end. They are good as Reply is.
func (r *Request) Replies() iter.Seq[nlmsg.Msg] {
	return func(yield func(nlmsg.Msg) bool) {
		for b := r.replies; ; {
			m, n := nlmsg.Consume(b)
			if n < 0 || !yield(m) {
				return
			}
			b = b[n:]
		}
	}
}

// Take returns the bytes of Replies, which are the caller's from then on. The request
// has none afterwards.
func (r *Request) Take() []byte {
	b := r.replies
	r.replies = nil
	return b
}

// Last returns the message that ended the exchange: the acknowledgement, the error, the
// end of a list, or a reply after which none follows. It is nil if no message ended it.
// It is good as Reply is. After a Dump it is that of the last attempt, and nil if a
// reply ended it, which the loop was given.
func (r *Request) Last() nlmsg.Msg {
	if r.ended {
		return nlmsg.Msg(r.last)
	}
	if r.err != nil || !r.answered {
		return nil
	}
	var last nlmsg.Msg
	for m := range r.Replies() {
		last = m
	}
	return last
}

// Sent returns the sequence number that the request was sent with.
func (r *Request) Sent() uint32 { return r.seq }

// Err returns how the request ended: nil, an [*Error], a [*LossError],
// [ErrUnanswered], or what ended it for the caller. After Do and Dump it is what
// they returned; after Batch each request has its own.
func (r *Request) Err() error { return r.err }

// Warning returns what the kernel reported besides success: a text, a cookie. It is
// nil when it reported nothing. Its Errno is 0.
func (r *Request) Warning() *Error { return r.warning }

// reset forgets the answer to an earlier use.
func (r *Request) reset() {
	r.replies, r.last, r.err, r.warning = r.replies[:0], r.last[:0], nil, nil
	r.answered, r.ended, r.awaited, r.interrupted = false, false, false, false
}

// begin takes the request for an exchange, and completes the message: the length is
// written, B is padded. finish must follow.
func (r *Request) begin() error {
	if r.self[0] != r || !atomic.CompareAndSwapUint32(&r.state, stateReady, stateBusy) {
		return ErrRequest
	}
	if len(r.B) < nlmsg.HeaderLen {
		r.finish()
		return fmt.Errorf("%w: B has %d bytes, a message at least %d", ErrRequest, len(r.B), nlmsg.HeaderLen)
	}
	r.reset()
	r.awaited = true
	r.B = nlmsg.End(r.B, 0)
	r.msg().SetFlags(r.msg().Flags() | nlmsg.FlagRequest)
	return nil
}

// finish ends the use by an exchange.
func (r *Request) finish() { atomic.StoreUint32(&r.state, stateReady) }

func (r *Request) msg() nlmsg.Msg { return nlmsg.Msg(r.B) }

func (r *Request) asksAck() bool { return r.msg().Flags()&nlmsg.FlagAck != 0 }

// op is the name of the request in errors.
func (r *Request) op() string {
	if r.Op != "" {
		return r.Op
	}
	return "request of type " + r.msg().Type().String()
}

// take takes one message of the answer.
func (r *Request) take(m nlmsg.Msg, limit int) {
	if m.Flags()&nlmsg.FlagDumpIntr != 0 && m.Type() != nlmsg.TypeError {
		r.interrupted = true
	}
	switch m.Type() {
	case nlmsg.TypeNoop:
	case nlmsg.TypeError, nlmsg.TypeDone:
		r.end(m)
	default:
		if len(r.replies)+nlmsg.Align(len(m)) > limit {
			r.fail(r.lost(ErrTooMuch))
			return
		}
		r.replies = pad(append(r.replies, m...))
		r.answered = !r.asksAck() && m.Flags()&nlmsg.FlagMulti == 0
	}
}

// end takes the message that ends the exchange: error, acknowledgement, done.
func (r *Request) end(m nlmsg.Msg) {
	r.last = append(r.last[:0], m...)
	r.answered, r.ended = true, true
}

// fail ends the request without a message.
func (r *Request) fail(err error) {
	if !r.ended {
		r.answered, r.err = true, err
	}
}

// lost is the error for a loss.
func (r *Request) lost(err error) error { return &LossError{Op: r.op(), Seq: r.seq, Err: err} }

// unanswered is how a request ends that the kernel has handled without a final message.
func (r *Request) unanswered() error {
	if r.asksAck() {
		return fmt.Errorf("conn: %s: %w", r.op(), ErrUnanswered)
	}
	return nil
}

// conclude decides how the request ended. The member has been returned, so
// that Name and the hook for warnings may use the Conn.
func (r *Request) conclude(c *Conn) {
	if r.ended {
		r.readEnd(c)
	}
	if r.interrupted {
		c.stats.interrupted.Add(1)
		if r.err == nil {
			r.err = fmt.Errorf("conn: %s: %w", r.op(), ErrInterrupted)
		}
	}
}

// readEnd reads the message that ended the exchange.
func (r *Request) readEnd(c *Conn) {
	parse := nlmsg.ParseAck
	if nlmsg.Msg(r.last).Type() == nlmsg.TypeDone {
		parse = nlmsg.ParseDone
	}
	a, err := parse(nlmsg.Msg(r.last))
	switch {
	case a.Errno != 0:
		r.err = newError(r, &a)
	case err != nil:
		r.err = fmt.Errorf("conn: %s: %w", r.op(), err)
	case len(a.Msg) > 0 || len(a.Cookie) > 0:
		r.warning = newError(r, &a)
		if c.conf.warn != nil {
			c.conf.warn(r.warning)
		}
	}
}

// pad aligns the end of b for another message.
func pad(b []byte) []byte { return native.Pad(b, len(b)) }

// requests keeps requests with their buffers for the next use, for all Conns: a pool for
// each would cost a Conn that makes a single request 7 % of its time (BenchmarkOpenResolveClose).
var requests sync.Pool

func getRequest() *Request {
	r, ok := requests.Get().(*Request)
	if !ok {
		r = new(Request)
		r.self[0] = r
	}
	r.state = stateReady // it has no other user
	return r
}

// putRequest drops a request that is too large to be kept for small ones.
func putRequest(r *Request) {
	const large = 64 << 10
	if cap(r.B) <= large && cap(r.replies) <= large && cap(r.last) <= large {
		requests.Put(r)
	}
}
