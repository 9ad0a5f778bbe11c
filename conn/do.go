package conn

import (
	"context"
	"fmt"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Do sends a request and waits for its answer: for the acknowledgement if it
// asks for one, otherwise for the first reply, or for the last part of a reply
// that has several. An error or a Done ends it too. It returns the first reply,
// nil if there was none; see [Request.Replies] for all of them.
//
// A refusal is an [*Error]. When ctx ends first, its error is returned, and what
// the kernel still answers goes nowhere; it has handled the request all the same,
// since it does so within the send. That is also why Do takes as long as the
// kernel does, whatever ctx says.
func (c *Conn) Do(ctx context.Context, r *Request) (nlmsg.Msg, error) {
	if err := r.ready(); err != nil {
		return nil, err
	}
	r.call.begin(r.self[:], false)
	if err := c.main.exchange(ctx, &r.call, r.B); err != nil {
		r.err = err
	}
	c.warn(r)
	if r.err != nil {
		return nil, r.err
	}
	return r.Reply(), nil
}

// Batch sends requests in one datagram, in their order, and waits for all that
// ask for an acknowledgement; the others, such as the messages that begin and
// end an nftables batch, are not waited for. Each has its answer in
// [Request.Err], [Request.Replies] and [Request.Warning]. The error is the first
// of theirs. With nftables a refusal undoes all of the batch; other subsystems
// handle each request by itself.
//
// When the batch is refused as a whole, by an error for a request that asked for
// nothing, those without an answer have [ErrUnanswered].
//
// The datagram must fit into the send buffer, or the error matches
// [syscall.EMSGSIZE]. The receive buffer is made large enough for the answers
// where the system allows it.
func (c *Conn) Batch(ctx context.Context, requests ...*Request) error {
	batch := c.batches.get()
	defer c.batches.put(batch)
	for _, r := range requests {
		if err := r.ready(); err != nil {
			return err
		}
		batch.b = append(batch.b, r.B...)
	}
	if len(requests) == 0 {
		return nil
	}
	batch.begin(requests, false)
	c.makeRoom(batch.awaiting * answerSize)
	if err := c.main.exchange(ctx, &batch.call, batch.b); err != nil {
		for _, r := range requests {
			if !r.answered && batch.awaits(r) {
				r.err = err
			}
		}
	}
	return c.verdict(requests)
}

// makeRoom sees to it that so many bytes of answers can be queued. The largest batch
// so far has made room for the smaller ones.
func (c *Conn) makeRoom(bytes int) {
	if int64(bytes) <= c.room.Load() {
		return
	}
	growReceiveBuffer(c.main.t, bytes)
	for room := c.room.Load(); int64(bytes) > room && !c.room.CompareAndSwap(room, int64(bytes)); {
		room = c.room.Load()
	}
}

// answerSize is what an acknowledgement takes of a receive buffer, as asked for:
// a kilobyte of it with its sk_buff, half of which the kernel adds by itself.
const answerSize = 512

// verdict is the first error of a batch.
func (c *Conn) verdict(requests []*Request) (err error) {
	for i, r := range requests {
		c.warn(r)
		if r.err != nil && err == nil {
			err = fmt.Errorf("request %d of the batch: %w", i, r.err)
		}
	}
	return err
}

// warn tells what the kernel said besides success.
func (c *Conn) warn(r *Request) {
	if r.warning != nil && c.conf.warn != nil {
		c.conf.warn(r.warning)
	}
}

// exchange sends b, which holds the requests of c one behind the other, and
// waits for the answers. An error of ctx gives c up.
//
// It and wait are long for the sake of speed: they have the system calls in
// them, and each return behind one costs 10 to 20 ns, since the kernel leaves the
// processor's stack of return addresses in disorder.
func (l *lane) exchange(ctx context.Context, c *call, b []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("conn: %s: %w", c.requests[0].op(), err)
	}
	isQuiet := c.awaiting == 0 // before others can see c
	l.register(c)
	number(b, c.first)
	err := l.t.Send(b)
	switch {
	case err != nil:
	case isQuiet:
		l.settle()
	default:
		if err = l.wait(ctx, c); err == nil {
			return nil
		}
	}
	l.forget(c)
	if err != nil {
		err = fmt.Errorf("conn: %s: %w", c.requests[0].op(), err)
	}
	return err
}

// settle takes what is queued: errors for requests that ask for nothing may be
// among it.
func (l *lane) settle() {
	l.rd.Lock()
	defer l.rd.Unlock()
	for !l.leading {
		n, info, err := l.t.TryReceive(l.buf)
		if err == socket.ErrEmpty {
			l.empty()
			return
		}
		l.take(n, info, err)
	}
}

// number writes the sequence numbers into the messages of a datagram.
func number(b []byte, first uint32) {
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		m.SetSeq(first)
		first++
		b = b[n:]
	}
}
