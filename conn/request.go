package conn

import (
	"fmt"
	"iter"

	"github.com/nlwire/nlwire/nlmsg"
)

// Request is a request to be sent, and after it what came of it. [Conn.Request]
// makes one, out of a pool; [Request.Release] gives it back.
//
//	r := c.Request(family, nlmsg.Request, genlmsg.Append(h[:0], cmd, version))
//	defer r.Release()
//	r.B = nla.AppendUint32(r.B, attrIfindex, 7)
//	reply, err := c.Do(ctx, r)
//
// It is one goroutine's: between the call of Do, Dump or Batch and its return
// nobody else may touch it.
type Request struct {
	// B is the message: header, the family's fixed header, and what the caller
	// appends to it. Its length and sequence number are written when it is sent.
	B []byte
	// Op says in errors what was being done: `get link "eth0"`. Empty, it is
	// the type of the message.
	Op string
	// Name tells the name of an attribute, by the types on the way to it from
	// the outermost, for errors. It may be nil, and may return "".
	Name func(path []uint16) string

	header int // length of the family's fixed header
	pool   *pool

	replies  []byte // messages, aligned
	err      error
	warning  *Error
	answered bool
	call     call
	self     [1]*Request // what call.requests is, but for batches
}

// Request returns a request with its header and the family's fixed header (a
// struct genlmsghdr, ifinfomsg, rtmsg, ...) in B, which are copied. In a request
// for [Conn.Do] the flags promise when it ends: with [nlmsg.Ack] at the
// acknowledgement, otherwise at the first reply, or with the last part of one
// that has several. A request that has no reply must ask for an acknowledgement.
func (c *Conn) Request(typ nlmsg.Type, flags nlmsg.Flags, header []byte) *Request {
	r := c.requests.get()
	r.B, _ = nlmsg.Begin(r.B[:0], typ, flags, 0, 0)
	r.B = pad(append(r.B, header...))
	r.header = len(header)
	return r
}

// Release gives the request back. Its replies are gone with it, and it must not
// be used again. Not to call it costs the pool a request and nothing else.
func (r *Request) Release() {
	r.Op, r.Name = "", nil
	r.reset()
	r.pool.put(r)
}

// Reply returns the first message that answered the request, nil if there was
// none but the acknowledgement. It is good until the request is released or
// used again; Clone keeps it.
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

// Err returns how the request ended: nil, an [*Error], a [*LossError],
// [ErrUnanswered], or what ended it for the caller. After Do and Dump it is what
// they returned; after Batch each request has its own.
func (r *Request) Err() error { return r.err }

// Warning returns what the kernel said besides success: a text, a cookie. It is
// nil when it said nothing. Its Errno is 0.
func (r *Request) Warning() *Error { return r.warning }

// reset forgets what came of an earlier use.
func (r *Request) reset() {
	r.replies, r.err, r.warning, r.answered = r.replies[:0], nil, nil, false
}

// ready makes a request what is sent: the length is written, B is padded.
func (r *Request) ready() error {
	r.reset()
	if len(r.B) < nlmsg.HeaderLen {
		return fmt.Errorf("conn: a request of %d bytes has no header: it is made by Conn.Request", len(r.B))
	}
	r.B = nlmsg.End(r.B, 0)
	return nil
}

func (r *Request) msg() nlmsg.Msg { return nlmsg.Msg(r.B) }

func (r *Request) asksAck() bool { return r.msg().Flags()&nlmsg.Ack != 0 }

// op is what the request is called in errors.
func (r *Request) op() string {
	if r.Op != "" {
		return r.Op
	}
	return "request of type " + r.msg().Type().String()
}

// take takes one message of the answer. It returns the reason why the answer
// cannot be kept, and sets answered when it has ended.
func (r *Request) take(m nlmsg.Msg, limit int) error {
	switch m.Type() {
	case nlmsg.Noop:
	case nlmsg.Error:
		r.finish(nlmsg.ParseAck(m))
	case nlmsg.Done:
		r.finish(nlmsg.ParseDone(m))
	default:
		if len(r.replies)+nlmsg.Align(len(m)) > limit {
			return &LossError{Op: r.op(), Err: ErrTooMuch}
		}
		r.replies = pad(append(r.replies, m...))
		r.answered = !r.asksAck() && m.Flags()&nlmsg.Multi == 0
	}
	return nil
}

// finish takes the answer that ends all: error, acknowledgement, done.
func (r *Request) finish(a nlmsg.Answer, err error) {
	r.answered = true
	switch {
	case a.Errno != 0:
		r.err = newError(r, &a)
	case err != nil:
		r.err = fmt.Errorf("conn: %s: %w", r.op(), err)
	case len(a.Msg) > 0 || len(a.Cookie) > 0:
		r.warning = newError(r, &a)
	}
}
