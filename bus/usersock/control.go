package usersock

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

var ne = binary.NativeEndian

// typeControl is the type of control messages.
const typeControl nlmsg.Type = 15

// The commands of control messages. The brackets describe attrValue.
const (
	cmdHello     = 1 // a new client registers [port ID of its second socket]
	cmdBye       = 2 // from a client: it ends; from the server: the session has ended [byeEnd, byeEvicted]
	cmdJoin      = 3 // [group]
	cmdLeave     = 4 // [group]
	cmdSetFlag   = 5 // [socket.Flag]
	cmdClearFlag = 6 // [socket.Flag]
	cmdSetBuffer = 7 // [bytes]
	cmdInfo      = 8 // from the server: the socket.Info of the following messages
	cmdReady     = 9 // from a client: it has emptied a socket that may have been full; the only reply is a bye
)

// The reasons in a bye from the server.
const (
	byeEnd     = 0 // the server ends
	byeEvicted = 1 // the client has been evicted, or has no place
)

const (
	attrCommand = 1
	attrPortID  = 2 // of the client that the message is about
	attrValue   = 3
	attrSender  = 4 // this and the following are fields of socket.Info
	attrGroups  = 5
	attrGroup   = 6
	attrNSID    = 7
)

var controlPolicy = (&policy.Policy{Attrs: []policy.Rule{
	attrCommand: {Kind: policy.KindU32},
	attrPortID:  {Kind: policy.KindU32},
	attrValue:   {Kind: policy.KindU32},
	attrSender:  {Kind: policy.KindU32},
	attrGroups:  {Kind: policy.KindU32},
	attrGroup:   {Kind: policy.KindU32},
	attrNSID:    {Kind: policy.KindS32},
}}).Compile()

// control contains the fields of a control message.
type control struct {
	command, portID, value uint32
}

// append appends a control message with the fields of c.
func (c control) append(b []byte, flags nlmsg.Flags, seq uint32) []byte {
	mark := len(b)
	b = nlmsg.Begin(b, typeControl, flags, seq, c.portID)
	b = nla.AppendUint32(b, attrCommand, c.command)
	b = nla.AppendUint32(b, attrPortID, c.portID)
	b = nla.AppendUint32(b, attrValue, c.value)
	return nlmsg.End(b, mark)
}

// parseControl returns the fields of a control message, or the errno for the reply.
func parseControl(m nlmsg.Msg, report *policy.Report) (control, errno.Errno) {
	tb := nla.NewTable(controlPolicy.MaxType())
	if e := nlmsg.ParseReport(tb, m, 0, controlPolicy, policy.Strict, report); e != 0 {
		return control{}, e
	}
	return control{tb.Uint32(attrCommand), tb.Uint32(attrPortID), tb.Uint32(attrValue)}, 0
}

// maxInfo is the maximum number of bytes that appendInfo appends.
const maxInfo = nlmsg.HeaderLen + 5*(nla.HeaderLen+4)

// appendInfo appends a control message with the sender and the group of a datagram. The
// client cannot get them from its socket, because the datagram comes from the server's
// socket.
func appendInfo(b []byte, portID uint32, info *socket.Info) []byte {
	mark := len(b)
	b = nlmsg.Begin(b, typeControl, 0, 0, portID)
	b = nla.AppendUint32(b, attrCommand, cmdInfo)
	b = nla.AppendUint32(b, attrSender, info.PortID)
	b = nla.AppendUint32(b, attrGroups, info.Groups)
	b = nla.AppendUint32(b, attrGroup, info.Group)
	if info.HasNSID {
		b = nla.AppendInt32(b, attrNSID, info.NSID)
	}
	return nlmsg.End(b, mark)
}

// parseInfo fills info from a control message and returns the command and its value. The
// client uses it.
func parseInfo(m nlmsg.Msg, info *socket.Info) (command, value uint32) {
	tb := nla.NewTable(controlPolicy.MaxType())
	var report policy.Report
	if nlmsg.ParseReport(tb, m, 0, controlPolicy, policy.Strict, &report) != 0 {
		return 0, 0
	}
	info.PortID, info.Groups, info.Group = tb.Uint32(attrSender), tb.Uint32(attrGroups), tb.Uint32(attrGroup)
	info.NSID, info.HasNSID = tb.Int32(attrNSID), tb.Has(attrNSID)
	return tb.Uint32(attrCommand), tb.Uint32(attrValue)
}

// plain appends a message without a payload.
func plain(b []byte, typ nlmsg.Type, portID uint32) []byte {
	mark := len(b)
	b = nlmsg.Begin(b, typ, 0, 0, portID)
	return nlmsg.End(b, mark)
}

// errnoOf returns the errno of an error of the bus.
func errnoOf(err error) errno.Errno {
	e, ok := errno.Of(err)
	if err != nil && !ok {
		return errno.ECONNREFUSED // the bus or the port is closed
	}
	return e
}
