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

// Request holds a request to be sent and, after the exchange, its answer. [Conn.Request]
// takes one from a pool; [Request.Release] returns it.
//
//	r := c.Request(family, nlmsg.FlagRequest, genlmsg.Append(h[:0], cmd, version))
//	defer r.Release()
//	r.B = nla.AppendUint32(r.B, attrIfindex, 7)
//	reply, err := c.Do(ctx, r)
//
// One goroutine at a time may use a Request. An exchange fails with [ErrRequest] if its
// Request is in use, was copied or released, or was not made by a Conn.
type Request struct {
	// B is the message: the header, the family's fixed header, and the attributes that the
	// caller appends. The exchange writes the length and the sequence number into B and
	// adds flags (nlmsg.FlagRequest; Dump adds nlmsg.FlagDump); they remain in B.
	B []byte
	// Op is the name of the operation in errors: `get link "eth0"`. If it is empty, errors
	// name the type of the message.
	Op string
	// Name returns the name of an attribute for errors. Its argument is the path of types:
	// the nests around the attribute, outermost first, then the attribute. Name may be nil
	// and may return "". It is called after the exchange.
	Name func(path []uint16) string
	// Seq is the sequence number to send. If it is 0, the Conn chooses one.
	Seq uint32
	// Deadline ends the exchange with [os.ErrDeadlineExceeded], in addition to ctx. The
	// zero time means no deadline. The earliest deadline of a batch applies to all of it.
	Deadline time.Time

	header int         // length of the family's fixed header
	self   [1]*Request // points to the Request unless it was copied; the list of an exchange of one
	state  uint32      // one of the states below; atomic

	seq      uint32 // the sequence number that was sent
	awaited  bool   // the exchange waits for it
	answered bool   // the answer is complete
	replies  []byte // messages, aligned
	last     []byte // the message that ended the exchange, if it is not in replies
	ended    bool   // last is set

	interrupted bool // a list is inconsistent
	err         error
	warning     *Error
}

// The states of a Request: Conn.Request makes a free one ready, an exchange makes it busy
// and then ready again, Release makes it free.
const (
	stateFree uint32 = iota // released
	stateReady
	stateBusy
)

// Request returns a request. Its B has a message header, and a copy of header, the family's
// fixed header (a struct genlmsghdr, ifinfomsg, rtmsg, ...). [Conn.Do] documents how flags
// determine the end of the answer.
func (c *Conn) Request(typ nlmsg.Type, flags nlmsg.Flags, header []byte) *Request {
	r := getRequest()
	r.B = nlmsg.Begin(r.B[:0], typ, flags, 0, 0)
	r.B = pad(append(r.B, header...))
	r.header = len(header)
	return r
}

// Release returns the request to the pool. Its replies become invalid, and it must not be
// used again; a second Release panics. A request that is not released costs an allocation
// later.
func (r *Request) Release() {
	if r.self[0] != r || !atomic.CompareAndSwapUint32(&r.state, stateReady, stateFree) {
		panic("conn: Release of a Request that was released before, is in use, was copied, or was not made by Conn.Request")
	}
	r.Op, r.Name, r.Seq, r.Deadline = "", nil, 0, time.Time{}
	r.reset()
	putRequest(r)
}

// Reply returns the first message that answered the request, nil if there was only an
// acknowledgement. It is valid until the request is released or used again; Clone or Take
// keeps it.
func (r *Request) Reply() nlmsg.Msg {
	m, _ := nlmsg.Consume(r.replies)
	return m
}

// Replies ranges over the messages that answered the request, without the acknowledgement,
// the error and the end of a list. They are valid as long as Reply.
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

// Take returns the messages of Replies as bytes and passes their ownership to the caller.
// The request has no replies afterwards.
func (r *Request) Take() []byte {
	b := r.replies
	r.replies = nil
	return b
}

// Last returns the message that ended the exchange: the acknowledgement, the error, the end
// of a list, or a final reply. It is nil if no message ended the exchange. It is valid as
// long as Reply. After a Dump it belongs to the last attempt; if a reply ended the list, it
// is nil, because the loop received that reply.
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

// Err returns the result of the request: nil, an [*Error], a [*LossError], [ErrUnanswered],
// or the error that ended the exchange. After Do and Dump it is the error that they
// returned; after Batch each request has a separate one.
func (r *Request) Err() error { return r.err }

// Warning returns the text or cookie that the kernel added to a success, nil if there was
// none. Its Errno is 0.
func (r *Request) Warning() *Error { return r.warning }

// reset removes the answer to an earlier exchange.
func (r *Request) reset() {
	r.replies, r.last, r.err, r.warning = r.replies[:0], r.last[:0], nil, nil
	r.answered, r.ended, r.awaited, r.interrupted = false, false, false, false
}

// begin takes the request for an exchange and completes the message: it writes the length
// and pads B. The caller calls finish afterwards.
func (r *Request) begin() error {
	if r.self[0] != r || !atomic.CompareAndSwapUint32(&r.state, stateReady, stateBusy) {
		return ErrRequest
	}
	if len(r.B) < nlmsg.HeaderLen {
		r.finish()
		return fmt.Errorf("%w: B has %d bytes, a message has at least %d", ErrRequest, len(r.B), nlmsg.HeaderLen)
	}
	r.reset()
	r.awaited = true
	r.B = nlmsg.End(r.B, 0)
	r.msg().SetFlags(r.msg().Flags() | nlmsg.FlagRequest)
	return nil
}

// finish ends the use of the request by an exchange.
func (r *Request) finish() { atomic.StoreUint32(&r.state, stateReady) }

func (r *Request) msg() nlmsg.Msg { return nlmsg.Msg(r.B) }

func (r *Request) asksAck() bool { return r.msg().Flags()&nlmsg.FlagAck != 0 }

// op returns the name of the request in errors.
func (r *Request) op() string {
	if r.Op != "" {
		return r.Op
	}
	return "request of type " + r.msg().Type().String()
}

// take processes one message of the answer.
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

// end stores the message that ends the exchange: an error, an acknowledgement or DONE.
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

// lost returns the error for a loss.
func (r *Request) lost(err error) error { return &LossError{Op: r.op(), Seq: r.seq, Err: err} }

// unanswered returns the result of a request that the kernel handled without a final
// message.
func (r *Request) unanswered() error {
	if r.asksAck() {
		return fmt.Errorf("conn: %s: %w", r.op(), ErrUnanswered)
	}
	return nil
}

// conclude determines the result of the request. The exchange has returned its member, so
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

// readEnd parses the message that ended the exchange.
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

// pad aligns the end of b for the next message.
func pad(b []byte) []byte { return native.Pad(b, len(b)) }

// requests keeps requests and their buffers for reuse. All Conns share it, so that a Conn
// that makes a single request does not pay for a pool (BenchmarkOpenResolveClose).
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

// putRequest drops a request with large buffers, which the pool would keep alive.
func putRequest(r *Request) {
	const large = 64 << 10
	if cap(r.B) <= large && cap(r.replies) <= large && cap(r.last) <= large {
		requests.Put(r)
	}
}
