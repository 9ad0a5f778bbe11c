package conn

import (
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// ending knows which messages belong to a dump, and which of them ends it.
type ending struct {
	seq         uint32 // of the request
	typ         nlmsg.Type
	flags       nlmsg.Flags
	t           Transport
	portID      uint32
	isLate      bool
	hasMessages bool
	isOver      bool
}

// owns reports whether a message belongs to the dump.
func (e *ending) owns(m nlmsg.Msg, info socket.Info) bool {
	if m.Seq() == e.seq {
		return (m.PortID() == e.portID || m.PortID() == 0) && (!isMulticast(info) || e.flags&nlmsg.FlagEcho != 0)
	}
	return e.isAnonymous(m) && !isMulticast(info) && !joined(e.t)
}

// isAnonymous reports whether a message may be a reply without numbers.
func (e *ending) isAnonymous(m nlmsg.Msg) bool {
	return m.Seq() == 0 && m.PortID() == 0 && m.Type() == e.typ
}

// ends reports whether a message of the dump ends it.
func (e *ending) ends(m nlmsg.Msg) bool {
	switch m.Type() {
	case nlmsg.TypeDone:
		e.isOver = true
	case nlmsg.TypeError:
		a, _ := nlmsg.ParseAck(m)
		e.isOver = a.Errno != 0 || e.hasMessages || !e.isLate
	case nlmsg.TypeNoop, nlmsg.TypeOverrun:
	default:
		e.hasMessages = true
		e.isOver = m.Flags()&nlmsg.FlagMulti == 0 && e.flags&nlmsg.FlagAck == 0 && !e.isAnonymous(m)
	}
	return e.isOver
}

// endsIn reports whether a message of a datagram ends the dump.
func (e *ending) endsIn(b []byte, info socket.Info) bool {
	for c := nlmsg.Walk(b); c.More() && !e.isOver; c = c.Next() {
		m := c.Msg()
		_ = e.owns(m, info) && e.ends(m)
	}
	return e.isOver
}
