package usersock

import (
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// An echo over a server, relative to a request to the kernel's controller. The difference
// is the cost of two switches between goroutines and processes.
func BenchmarkEcho(b *testing.B) {
	w := serve(b, bus.New())
	c, _ := w.conn()
	kernel, err := conn.Open(socket.Generic)
	if err != nil {
		b.Fatal(err)
	}
	defer kernel.Close()
	do := func(c *conn.Conn, typ nlmsg.Type, header []byte, attr uint16, text string) {
		r := c.Request(typ, nlmsg.FlagRequest, header)
		defer r.Release()
		r.B = nla.AppendCString(r.B, attr, text)
		if _, err := c.Do(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	echo, family := genlmsg.Append(nil, docexmpl.CmdEcho, 1), genlmsg.Append(nil, genlmsg.CtrlCmdGetFamily, 2)
	kerneltest.Interleave(b, 100, "x/kernel",
		func() { do(c, nlmsg.Type(w.family.ID()), echo, docexmpl.AttrMsg, "nlctrl") },
		func() { do(kernel, genlmsg.IDCtrl, family, genlmsg.CtrlAttrFamilyName, "nlctrl") })
}
