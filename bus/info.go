package bus

import (
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Info is a request, as its handler sees it (struct genl_info). It and all that it
// refers to are good until the handler returns.
type Info struct {
	Family     *Family
	Seq        uint32 // of the request; a reply carries it
	PortID     uint32 // of the requester; a reply carries it
	NetNS      int    // of the requester's port
	Msg        nlmsg.Msg
	Header     genlmsg.Header
	UserHeader []byte // Family.HdrSize bytes
	// Attrs are the attributes by type, validated under the operation's policy;
	// nil where it has none, or none with types.
	Attrs nla.Table
	// ExtAck is what the answer reports besides the errno, to a requester who asked for it;
	// on success only the text, as a warning, and the cookie. The Set methods fill it;
	// its Errno and Request are those of the answer. What is set last stands.
	ExtAck nlmsg.ExtAck
	// Ctx is the family's own, for its pre_doit to hand something on.
	Ctx any

	port *Port
	on   *registration // of the family when the request came
	buf  []byte        // where messages are built, kept for the next

	scratch scratch
}

// Begin starts a message to the requester, in a buffer of the bus
// (genlmsg_put_reply). What the handler appends is behind the family's header.
// [Info.Reply] or [Info.Notify] ends it; one at a time.
func (i *Info) Begin(cmd uint8) (b []byte, mark int) {
	return i.on.begin(i.buf[:0], i.Family, 0, i.Seq, i.PortID, cmd)
}

// end writes the length of a message from Begin.
func (i *Info) end(b []byte, mark int) []byte {
	b = nlmsg.End(b, mark)
	i.buf = b[:0]
	return b
}

// Reply sends the message that Begin started to the requester (genlmsg_reply). EAGAIN
// says that its queue was full.
func (i *Info) Reply(b []byte, mark int) error {
	if b = i.end(b, mark); !i.port.put(b, socket.Info{}, goodSize) {
		return errno.EAGAIN
	}
	return nil
}

// Notify sends the message that Begin started to a group of the family, by its
// index, in the requester's network namespace (genl_notify). A requester who
// asked for an ECHO gets it in place of what the group gets.
func (i *Info) Notify(group int, b []byte, mark int) error {
	b = i.end(b, mark)
	if group < 0 || group >= len(i.Family.Groups) {
		return errno.EINVAL
	}
	number, excluded := i.Family.GroupID(group), uint32(0)
	echo := i.Msg.Flags()&nlmsg.FlagEcho != 0
	if echo {
		excluded = i.PortID
	}
	err := i.port.bus.multicast(i.NetNS, number, b, excluded)
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

// BeginEvent starts a message to a group: no request's (genlmsg_put). Multicast ends
// it; one at a time, with those of Begin.
func (i *Info) BeginEvent(cmd uint8) (b []byte, mark int) {
	return i.on.begin(i.buf[:0], i.Family, 0, 0, 0, cmd)
}

// Multicast sends the message that BeginEvent started to a group of the family, by
// its index, in the requester's network namespace (genlmsg_multicast_netns). ESRCH
// says that nobody listens.
func (i *Info) Multicast(group int, b []byte, mark int) error {
	return i.Family.MulticastNetNS(i.NetNS, group, i.end(b, mark), 0)
}

// Has returns whether the requester may do these things.
func (i *Info) Has(c Caps) bool { return i.port.caps&c == c }

// Require returns EINVAL, and says so, if an attribute of the top level is missing
// (GENL_REQ_ATTR_CHECK).
func (i *Info) Require(typ uint16) error {
	if i.Attrs.Has(typ) {
		return nil
	}
	i.SetMissing(nil, typ)
	return errno.EINVAL
}

// ParseNested validates what is inside a nest of the request and fills tb
// (nla_parse_nested): strictly, and the nest must have its bit. What it refuses is
// in the extended ACK; the error is the errno.
func (i *Info) ParseNested(tb *nla.Table, nest nla.Attr, p *policy.Policy) error {
	if !nest.IsNested() {
		i.SetAttrMsg(nest, "NLA_F_NESTED is missing")
		return errno.EINVAL
	}
	report := &i.scratch.parsed
	*report = policy.Report{}
	e := policy.ParseReport(tb, nest.Payload(), p, policy.Strict, report)
	report.Offset += int(i.offset(nest)) + nla.HeaderLen
	if i.takeReport(); e != 0 {
		return e
	}
	return nil
}
