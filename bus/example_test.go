package bus_test

import (
	"context"
	"fmt"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The family DOC_EXMPL on a bus, with the client that also talks to a kernel.
func Example() {
	b := bus.New()
	defer b.Close()
	if err := b.Register(docexmpl.New()); err != nil {
		fmt.Println(err)
		return
	}
	dial := func() (conn.Transport, error) { return b.Open(bus.WithFlags(socket.ExtAck, socket.CapAck)) }
	port, _ := dial()
	c := conn.New(port, conn.WithDialer(dial))
	defer c.Close()

	ctx := context.Background()
	f, err := ctrl.New(c).Family(ctx, docexmpl.Name)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := c.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest, genlmsg.Append(nil, docexmpl.CmdEcho, docexmpl.Version))
	defer r.Release()
	r.Op = "echo"
	_, err = c.Do(ctx, r) // the text is missing
	fmt.Println(err)

	r.B = nla.AppendCString(r.B, docexmpl.AttrMsg, "hello")
	m, err := c.Do(ctx, r)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := nla.Find(genlmsg.Attrs(m, 0), docexmpl.AttrMsg).CString()
	fmt.Printf("%s\n", text)
	// Output:
	// conn: echo: invalid argument: DOC_EXMPL_A_MSG is required
	// hello
}

// A family with a policy, an operation and a dump.
func ExampleBus_Register() {
	const cmdAdd, cmdList, attrA, attrB, attrSum = 1, 2, 1, 2, 3
	policy := &policy.Policy{Attrs: []policy.Rule{attrA: {Kind: policy.KindU32}, attrB: {Kind: policy.KindU32}}}
	sums := []uint32{}
	f := &bus.Family{
		Name: "sums", Version: 1,
		SplitOps: []bus.SplitOp{
			{Cmd: cmdAdd, Flags: genlmsg.OpDo, Policy: policy, Do: func(i *bus.Info) error {
				for _, typ := range []uint16{attrA, attrB} {
					if err := i.Require(typ); err != nil {
						return err
					}
				}
				sum := i.Attrs.Uint32(attrA) + i.Attrs.Uint32(attrB)
				sums = append(sums, sum)
				b := i.Begin(cmdAdd)
				return i.Reply(nla.AppendUint32(b, attrSum, sum))
			}},
			{Cmd: cmdList, Flags: genlmsg.OpDump, Dump: func(d *bus.Dump) error {
				for ; d.Args[0] < len(sums); d.Args[0]++ {
					b := d.Begin(nlmsg.FlagMulti, cmdList)
					if err := d.End(nla.AppendUint32(b, attrSum, sums[d.Args[0]])); err != nil {
						return err // it does not fit: the next call starts here
					}
				}
				return nil
			}},
		},
	}
	b := bus.New()
	defer b.Close()
	fmt.Println(b.Register(f))

	port, _ := b.Open()
	m := nlmsg.Begin(nil, nlmsg.Type(f.ID()), nlmsg.FlagRequest, 1, 0)
	m = genlmsg.Append(m, cmdAdd, 1)
	m = nlmsg.End(nla.AppendUint32(nla.AppendUint32(m, attrA, 2), attrB, 40), 0)
	fmt.Println(port.Send(m))

	buf := make([]byte, socket.BufferSize)
	n, _, _ := port.Receive(buf)
	sum, err := nla.Find(genlmsg.Attrs(buf[:n], 0), attrSum).Uint32()
	fmt.Println(sum, err)
	// Output:
	// <nil>
	// <nil>
	// 42 <nil>
}

// An injected fault and the client's error.
func ExampleScript() {
	b := bus.New(bus.WithFaults(bus.Script(bus.NoBuffers)))
	defer b.Close()
	port, _ := b.Open()
	c := conn.New(port)
	defer c.Close()
	_, err := ctrl.New(c).Family(context.Background(), "nlctrl")
	fmt.Println(err)
	f, err := ctrl.New(c).Family(context.Background(), "nlctrl")
	fmt.Println(f.ID, err)
	// Output:
	// ctrl: family "nlctrl": conn: request to nlctrl: lost: no buffer space available: the receive buffer was full; the outcome is unknown
	// 0x10 <nil>
}
