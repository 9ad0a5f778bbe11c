package differential

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
)

// exchange is a request to the controller and the expected errno.
type exchange struct {
	name   string
	family uint16
	cmd    uint8
	flags  netlink.HeaderFlags
	data   []byte
	errno  unix.Errno
}

// exchanges lists requests with the same answers in all recent kernels.
var exchanges = []exchange{
	{name: "a family", data: nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "nlctrl")},
	{name: "a family by its id", data: nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, genlmsg.IDCtrl)},
	{name: "a family with a reserved flag", flags: netlink.Append, data: nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "nlctrl")},
	{name: "no family", data: nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "NOTEXISTS"), errno: unix.ENOENT},
	{name: "no id", data: nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, 1023), errno: unix.ENOENT},
	{name: "nothing", errno: unix.EINVAL},
	{name: "a long name", data: nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, strings.Repeat("x", 16)), errno: unix.EINVAL},
	{name: "a longer name", data: nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, strings.Repeat("x", 300)), errno: unix.EINVAL},
	{name: "a name without NUL", data: nla.AppendBytes(nil, genlmsg.CtrlAttrFamilyName, []byte("nlctrl")), errno: unix.EINVAL},
	{name: "a name with bytes after it", data: nla.AppendBytes(nil, genlmsg.CtrlAttrFamilyName, []byte("nlctrl\x00junk")), errno: 0},
	{name: "a short id", data: nla.AppendUint8(nil, genlmsg.CtrlAttrFamilyID, 16), errno: unix.ERANGE},
	{name: "an unknown attribute", data: nla.AppendUint32(nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "nlctrl"), 99, 1)},
	{name: "an unknown command", cmd: 200, errno: unix.EOPNOTSUPP},
	{name: "an unknown command's dump", cmd: 200, flags: netlink.Dump, errno: unix.EOPNOTSUPP},
	{name: "policies without dump", cmd: genlmsg.CtrlCmdGetPolicy, errno: unix.EOPNOTSUPP},
	{name: "policies of nobody", cmd: genlmsg.CtrlCmdGetPolicy, flags: netlink.Dump, errno: unix.EINVAL},
	{
		name: "policies of no family", cmd: genlmsg.CtrlCmdGetPolicy, flags: netlink.Dump,
		data: nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "NOTEXISTS"), errno: unix.ENOENT,
	},
	{
		name: "policies with an unknown attribute", cmd: genlmsg.CtrlCmdGetPolicy, flags: netlink.Dump,
		data: nla.AppendUint32(nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "nlctrl"), 99, 1), errno: unix.EINVAL,
	},
	{name: "an id that nobody has", family: 1023, errno: unix.ENOENT},
	{name: "an id beyond all", family: 1024, errno: unix.ENOENT},
	{name: "a message for nobody", family: 15},
}

// outcome contains the library's results of an exchange, without the values that differ between
// exchanges.
type outcome struct {
	Messages []netlink.Message
	Err      string
	Errno    unix.Errno
	Message  string
	Offset   int
}

// run sends the request. It receives until the acknowledgement, an error or the end of the dump.
func (e exchange) run(t *testing.T, c *client) (o outcome) {
	t.Helper()
	request := genetlink.Message{Header: genetlink.Header{Command: max(e.cmd, genlmsg.CtrlCmdGetFamily), Version: genlmsg.CtrlVersion}, Data: e.data}
	family := e.family
	if family == 0 {
		family = genlmsg.IDCtrl
	}
	sent, err := c.Send(request, family, netlink.Request|netlink.Acknowledge|e.flags)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var messages []netlink.Message
		if messages, err = c.nl.Receive(); err != nil {
			break
		}
		if err = netlink.Validate(sent, messages); err != nil {
			break
		}
		for _, m := range messages {
			if m.Header.Type == netlink.Error && len(m.Data) >= 20 { // contains the request's header
				clear(m.Data[12:20]) // sequence number and port ID
			}
			m.Header.Sequence, m.Header.PID = 0, 0
			o.Messages = append(o.Messages, m)
		}
		if len(messages) == 0 || e.flags&netlink.Dump == netlink.Dump || messages[len(messages)-1].Header.Type == netlink.Error {
			return o
		}
	}
	o.Err = err.Error()
	var op *netlink.OpError
	if errors.As(err, &op) {
		o.Message, o.Offset = op.Message, op.Offset
	}
	errors.As(err, &o.Errno)
	return o
}

// TestExchanges sends the same requests to the bus and to the kernel. The library must return the same
// results, for all options that affect answers.
func TestExchanges(t *testing.T) {
	options := []struct {
		name string
		on   []netlink.ConnOption
	}{
		{"plain", nil},
		{"ext", []netlink.ConnOption{netlink.ExtendedAcknowledge}},
		{"cap", []netlink.ConnOption{netlink.CapAcknowledge}},
		{"ext+cap", []netlink.ConnOption{netlink.ExtendedAcknowledge, netlink.CapAcknowledge}},
		{"ext+strict", []netlink.ConnOption{netlink.ExtendedAcknowledge, netlink.GetStrictCheck}},
	}
	b := newBus(t)
	for _, option := range options {
		for _, e := range exchanges {
			t.Run(option.name+"/"+e.name, func(t *testing.T) {
				var outcomes []outcome
				for _, p := range []place{kernel{}, b} {
					c := dial(t, p)
					for _, o := range option.on {
						if err := c.SetOption(o, true); err != nil {
							t.Fatal(err)
						}
					}
					outcomes = append(outcomes, e.run(t, c))
				}
				if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
					t.Errorf("(-kernel +bus):\n%s", diff)
				}
				// With both options, the library fails to decode the errno.
				if got := outcomes[1]; got.Errno != e.errno && (option.name != "ext+cap" || got.Err == "") {
					t.Errorf("errno %v, want %v: %+v", got.Errno, e.errno, got)
				}
			})
		}
	}
}
