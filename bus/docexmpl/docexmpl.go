// Package docexmpl implements DOC_EXMPL, the family of the Generic Netlink how-to: one
// attribute, one operation, one multicast group. It is an example of a family on a bus, and
// a peer for tests of clients.
//
//	DOC_EXMPL, version 1
//	  operation 1, ECHO    do: sends the text to the group, then to the requester
//	                       dump: a list of texts, with the Done in a separate datagram
//	  attribute 1, MSG     a string with its NUL, of up to 256 bytes
//	  group doc_events     receives every ECHO
//
// The kernel module doc_exmpl of internal/test/module sends the same bytes. The tests
// compare the bus with a recording of a module.
package docexmpl

import (
	"strconv"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Names and numbers of the family.
const (
	Name    = "DOC_EXMPL"  // name of the family
	Version = 1            // version of its interface
	Group   = "doc_events" // name of its multicast group

	CmdEcho = 1 // DOC_EXMPL_C_ECHO
	AttrMsg = 1 // DOC_EXMPL_A_MSG: string with NUL

	// MaxMsg is the longest text, without its NUL.
	MaxMsg = 256
	// DumpLen is the number of texts in a dump.
	DumpLen = 200
)

// Policy is the policy of the operation.
var Policy = &policy.Policy{Attrs: []policy.Rule{AttrMsg: {Kind: policy.KindNULString, Len: MaxMsg}}}

// New makes the family; register it with Bus.Register.
func New() *bus.Family {
	return &bus.Family{
		Name: Name, Version: Version, MaxAttr: AttrMsg, NetNSOK: true,
		Ops:    []bus.Op{{Cmd: CmdEcho, Policy: Policy, Do: echo, Dump: list}},
		Groups: []bus.Group{{Name: Group}},
	}
}

func echo(i *bus.Info) error {
	if !i.Attrs.Has(AttrMsg) {
		i.SetMsg("DOC_EXMPL_A_MSG is required")
		return errno.EINVAL
	}
	b := appendMsg(i.Begin(CmdEcho), i)
	_ = i.Multicast(0, b) // the module ignores errors: no members, or members that lost the event
	return i.Reply(b)
}

// appendMsg appends the text of the request up to its NUL.
func appendMsg(b []byte, i *bus.Info) []byte {
	mark := len(b)
	b = nla.BeginNoFlag(b, AttrMsg)
	b = append(b, i.Attrs.Text(AttrMsg)...)
	return nla.End(append(b, 0), mark)
}

func list(d *bus.Dump) error {
	for ; d.Args[0] < DumpLen; d.Args[0]++ {
		b := d.Begin(nlmsg.FlagMulti, CmdEcho)
		b = nla.AppendCString(b, AttrMsg, "dump entry number "+strconv.Itoa(d.Args[0]))
		if err := d.End(b); err != nil {
			return err
		}
	}
	return bus.ErrMore // the module's dumpit returns the length of its datagram
}
