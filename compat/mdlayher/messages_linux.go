package netlink

import (
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// messages returns the messages of the answer. They are views of its datagrams.
func (x *answer) messages() []Message {
	// Execute does not return an acknowledgement after a reply.
	withAcks := !x.isExecute || x.replies == 0
	n := x.replies
	if withAcks {
		n += x.acks
	}
	switch {
	case n == 0:
		return nil
	case x.small != nil:
		return x.small.msg[:]
	}
	msgs := make([]Message, 0, n)
	for i := range x.datagrams {
		for c := nlmsg.Walk(x.datagrams[i].b); c.More() && len(msgs) < n; c = c.Next() {
			if !withAcks && c.Type() == nlmsg.TypeError {
				continue
			}
			msgs = msgs[:len(msgs)+1]
			msgs[len(msgs)-1].set(c.Msg())
		}
	}
	return msgs
}

// A smallReply contains one message and its bytes, so that both need one allocation.
type smallReply struct {
	msg  [1]Message
	data [96]byte
}

// isSmall reports whether a datagram consists of one message that fits into a smallReply.
func isSmall(b []byte) bool {
	_, n := nlmsg.Consume(b)
	return n == len(b) && n <= len(smallReply{}.data)
}

func newSmallReply(b []byte) *smallReply {
	r := new(smallReply)
	n := copy(r.data[:], b)
	m, _ := nlmsg.Consume(r.data[:n:n])
	r.msg[0].set(m)
	return r
}

// each implements ReceiveIter. The caller holds the lock. Each datagram has a separate buffer.
func (k *conn) each(yield func(Message) bool) error {
	sp := getSpace()
	defer sp.put()
	x := answer{k: k, sp: sp}
	for !x.isComplete() {
		d, err := x.next()
		switch {
		case err == socket.ErrEmpty:
			return x.end(nil)
		case err != nil:
			return x.end(newOpError("receive", err))
		case k.queue.isStale(&d):
			continue
		}
		x.hasDatagram = true
		for m, err := range parseMessagesIter(d.own()) {
			if err != nil {
				return x.end(newOpError("receive", err))
			}
			if err := x.stream.take(m, yield); err != nil || x.isOver {
				return x.end(err)
			}
		}
	}
	return x.end(nil)
}
