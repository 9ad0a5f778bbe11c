// Package docexmpl is DOC_EXMPL, the family that the how-to of Generic Netlink
// builds: one attribute, one operation, one multicast group. It is an example to start
// from, and a peer for trying a client.
//
//	DOC_EXMPL, version 1
//	  operation 1, ECHO    do: sends the text back, and to the group
//	                       dump: a list of texts
//	  attribute 1, MSG     a string with its NUL, of up to 256 bytes
//	  group doc_events     hears every ECHO
//
// A kernel module of the same content sends the same bytes; the tests compare with a
// recording of one.
package docexmpl

import (
	"strconv"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// What the family is called, and its numbers.
const (
	Name    = "DOC_EXMPL"  // of the family
	Version = 1            // of its interface
	Group   = "doc_events" // its multicast group

	CmdEcho = 1 // DOC_EXMPL_C_ECHO
	AttrMsg = 1 // DOC_EXMPL_A_MSG: string with NUL

	// MaxMsg is the longest text, without its NUL.
	MaxMsg = 256
	// DumpLen is how many texts a dump lists.
	DumpLen = 200
)

// Policy is what the operation accepts.
var Policy = &policy.Policy{Attrs: []policy.Rule{AttrMsg: {Kind: policy.KindNULString, Len: MaxMsg}}}

// New makes the family, for Bus.Register.
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
