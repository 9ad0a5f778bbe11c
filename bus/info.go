package bus

import (
	"encoding/binary"
	"fmt"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Info is a request, as its handler receives it (struct genl_info). It is valid until the
// handler returns, and so is all memory that it refers to. A handler must copy what it keeps.
type Info struct {
	Family     *Family
	Seq        uint32 // of the request; replies have the same
	PortID     uint32 // of the requester; replies have the same
	NetNS      int    // network namespace of the requester's port
	Msg        nlmsg.Msg
	Header     genlmsg.Header
	UserHeader []byte // the family's header: Family.HdrSize bytes, nil for 0
	// Attrs contains the attributes by type, validated with the policy of the operation. It
	// has no slots if the operation has no policy (but see Op.Policy) or the policy has no
	// types.
	Attrs nla.Table
	// ExtAck is sent with the errno if the requester has set socket.ExtAck. With success,
	// only its text (a warning) and its cookie are sent. The Set methods fill it; a later
	// call replaces the value of an earlier one. The bus sets Errno and Request.
	ExtAck nlmsg.ExtAck
	// Ctx carries a value of the family from PreDo to Do and PostDo, or from Start to Dump
	// and Done. The bus does not use it.
	Ctx any

	port  *Port
	on    *registration // of Family, when the request was received
	buf   []byte        // buffer for messages, reused
	begun bool          // Begin has been called

	scratch scratch
}

// errNotBegun is the error for a message in a buffer that does not come from Begin.
var errNotBegun = fmt.Errorf("bus: message not started by Begin of the same Info or Dump: %w", errno.EINVAL)

// Begin starts a message with the sequence number and the port ID of the request: the
// headers, and zeros for the family's own header (genlmsg_put_reply). The handler appends
// attributes and passes the buffer to Reply, Notify or Multicast, which set the length and
// send a copy. The same message may be sent several times.
//
// The buffer belongs to the bus, and the next Begin reuses it: an Info has one message at a
// time.
func (i *Info) Begin(cmd uint8) []byte {
	i.begun = true
	return i.on.begin(i.buf[:0], i.Family, 0, i.Seq, i.PortID, cmd)
}

// end sets the length of a message from Begin. If the handler has grown the buffer, its new
// array may belong to the handler: end does not keep it, but allocates one of the same
// size.
func (i *Info) end(b []byte) ([]byte, error) {
	if !i.begun || len(b) < nlmsg.HeaderLen {
		return nil, errNotBegun
	}
	b = nlmsg.End(b, 0)
	if cap(i.buf) < len(b) {
		i.buf = make([]byte, 0, len(b))
	}
	return b, nil
}

// Reply sends a message from Begin to the requester (genlmsg_reply). The error is EAGAIN if
// the requester's queue is full, EINVAL if b is not from Begin.
func (i *Info) Reply(b []byte) error {
	b, err := i.end(b)
	if err == nil && !i.port.put(b, socket.Info{}, goodSize) {
		err = errno.EAGAIN
	}
	return err
}

// Notify sends a message from Begin to a group of the family in the requester's network
// namespace (genl_notify). group is an index of Family.Groups. The message keeps the
// sequence number and the port ID of the request. A requester that has set nlmsg.FlagEcho
// receives it exactly once, whether or not it has joined the group.
//
// A group without members is not an error. The error is EAGAIN if the queue of a requester
// with FlagEcho is full, ENOBUFS if a member with socket.BroadcastError missed the message,
// EINVAL if there is no such group or b is not from Begin.
func (i *Info) Notify(group int, b []byte) error {
	b, err := i.end(b)
	if err != nil {
		return err
	}
	if group < 0 || group >= len(i.Family.Groups) {
		return errno.EINVAL
	}
	number, excluded := i.Family.GroupID(group), uint32(0)
	echo := i.Msg.Flags()&nlmsg.FlagEcho != 0
	if echo {
		excluded = i.PortID
	}
	err = i.port.bus.multicast(i.NetNS, number, b, excluded)
	if err == errno.ESRCH {
		err = nil
	}
	if echo {
		info := socket.Info{}
		i.port.address32(&info, number)
		if !i.port.put(b, info, goodSize) && err == nil {
			err = errno.EAGAIN
		}
	}
	return err
}

// Multicast sends a message from Begin to a group of the family in the requester's network
// namespace (genlmsg_multicast_netns). group is an index of Family.Groups. The message is
// sent as an event, with the sequence number 0 and the port ID 0; b itself is unchanged
// afterwards. The errors are those of [Family.Multicast], and EINVAL if b is not from
// Begin.
//
// For another sequence number, port ID or namespace, use [Family.Begin] and
// Family.Multicast.
func (i *Info) Multicast(group int, b []byte) error {
	b, err := i.end(b)
	if err != nil {
		return err
	}
	m := nlmsg.Msg(b)
	seq, portID := m.Seq(), m.PortID()
	readdress(m, 0, 0)
	err = i.Family.Multicast(i.NetNS, group, b, 0)
	readdress(m, seq, portID)
	return err
}

// readdress sets the sequence number and the port ID of a message.
func readdress(m nlmsg.Msg, seq, portID uint32) {
	m.SetSeq(seq)
	binary.NativeEndian.PutUint32(m[12:nlmsg.HeaderLen], portID)
}

// HasCaps reports whether the requester's port has all of these capabilities.
func (i *Info) HasCaps(c Caps) bool { return i.port.caps&c == c }

// Require returns nil if the attribute is present at the top level. Otherwise it records
// the missing type in ExtAck and returns EINVAL (GENL_REQ_ATTR_CHECK).
func (i *Info) Require(typ uint16) error {
	if i.Attrs.Has(typ) {
		return nil
	}
	i.SetMissing(nil, typ)
	return errno.EINVAL
}

// ParseNested validates the attributes inside a nest of the request strictly and fills tb,
// whose slots are indexed by type; tb may be nil (nla_parse_nested). The error is the errno
// for the requester, EINVAL if the nest lacks its Nested flag; ExtAck contains the details.
// nest must be a view of Info.Msg, such as an attribute in Info.Attrs or tb.
func (i *Info) ParseNested(tb *nla.Table, nest nla.Attr, p *policy.Policy) error {
	if !nest.IsNested() {
		i.SetAttrMsg(nest, msgNoNest)
		return errno.EINVAL
	}
	if e := i.validate(tb, nest.Payload(), p, policy.Strict); e != 0 {
		return e
	}
	return nil
}
