package conn

import (
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// ending decides which messages belong to a dump and which message ends it. A dump starts
// with hasMessages and isOver false. ends sets hasMessages at the first reply, and isOver
// at the message that ends the dump; later messages do not belong to it. The dump also sets
// isOver when its queue is empty and nothing can follow (errOver).
//
//	message                                  isOver
//	DONE                                     yes
//	error                                    yes
//	acknowledgement                          yes, unless replies come late and none has arrived
//	reply without FlagMulti                  yes, unless the request has FlagAck or the reply
//	                                         has no numbers
//	reply with FlagMulti, NOOP, OVERRUN      no
type ending struct {
	seq         uint32 // of the request, as are typ and flags
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

// isAnonymous reports whether a message may be a reply without sequence number and port ID.
func (e *ending) isAnonymous(m nlmsg.Msg) bool {
	return m.Seq() == 0 && m.PortID() == 0 && m.Type() == e.typ
}

// ends reports whether a message of the dump ends it, or an earlier one has.
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

// endsIn reports whether a datagram contains the message that ends the dump.
func (e *ending) endsIn(b []byte, info socket.Info) bool {
	for c := nlmsg.Walk(b); c.More() && !e.isOver; c = c.Next() {
		m := c.Msg()
		_ = e.owns(m, info) && e.ends(m)
	}
	return e.isOver
}
