package netlink

import (
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// messages returns the messages of the answer. They alias the datagrams, which are theirs.
func (x *answer) messages() []Message {
	// An acknowledgement after a reply is not part of what Execute returns.
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

// A smallReply is one message in one piece of memory, its bytes included.
type smallReply struct {
	msg  [1]Message
	data [96]byte
}

// isSmall reports whether a datagram is one message that fits into a smallReply.
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

// each is ReceiveIter without its lock. Each datagram has memory of its own.
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
