// Package docexmpl implements DOC_EXMPL, the family of the Generic Netlink how-to: one
// attribute, one operation, one multicast group. It is an example for families on a bus,
// and a peer for testing a client.
//
//	DOC_EXMPL, version 1
//	  operation 1, ECHO    do: sends the text to the requester and to the group
//	                       dump: a list of texts
//	  attribute 1, MSG     a string with its NUL, of up to 256 bytes
//	  group doc_events     receives every ECHO
//
// A kernel module with the same family sends the same bytes; the tests compare the bus
// with a recording of the module.
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
	if err := i.Reply(b); err != nil {
		return err
	}
	if err := i.Multicast(0, b); err != errno.ESRCH { // no members
		return err
	}
	return nil
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
	return nil
}
