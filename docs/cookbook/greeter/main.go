// Command greeter registers a Generic Netlink family on a bus in its process, and sends
// requests to it as to the kernel. It needs no kernel and no privileges, and runs on every
// system.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The numbers of the family, as a header file of the kernel would define them.
const (
	cmdGreet = 1
	attrName = 1 // NUL-terminated string, at most 32 bytes
	attrText = 2 // NUL-terminated string
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// family declares the family, as a struct genl_family does in the kernel.
func family() *bus.Family {
	return &bus.Family{
		Name: "greeter", Version: 1,
		Groups: []bus.Group{{Name: "greetings"}},
		Ops: []bus.Op{{
			Cmd:    cmdGreet,
			Policy: &policy.Policy{Attrs: []policy.Rule{attrName: {Kind: policy.KindNULString, Len: 32}}},
			Do:     greet,
		}},
	}
}

// greet replies to the requester and sends the reply to the members of the group, too. The
// bus has validated the attributes.
func greet(i *bus.Info) error {
	if err := i.Require(attrName); err != nil {
		return err // EINVAL, with the type of the missing attribute
	}
	b := i.Begin(cmdGreet)
	b = nla.AppendCString(b, attrText, "hello "+string(i.Attrs.Text(attrName)))
	if err := i.Multicast(0, b); err != nil && !errors.Is(err, errno.ESRCH) { // ESRCH: no members
		return err
	}
	return i.Reply(b)
}

func run(ctx context.Context, out io.Writer) error {
	b := bus.New()
	defer b.Close()
	if err := b.Register(family()); err != nil {
		return err
	}

	// A port is a Transport. The rest of the function is that of a client of the kernel.
	open := func() (conn.Transport, error) { return b.Open(bus.WithFlags(socket.ExtAck, socket.CapAck)) }
	port, err := open()
	if err != nil {
		return err
	}
	c := conn.New(port, conn.WithDialer(open))
	defer c.Close()
	f, err := ctrl.New(c).Family(ctx, "greeter")
	if err != nil {
		return err
	}
	for _, name := range []string{"world", "", "somebody whose name is far too long"} {
		text, err := call(ctx, c, &f, name)
		if err != nil {
			fmt.Fprintln(out, "error:", err)
			continue
		}
		fmt.Fprintln(out, text)
	}
	return nil
}

func call(ctx context.Context, c *conn.Conn, f *ctrl.Family, name string) (string, error) {
	r := f.Request(c, cmdGreet, nlmsg.FlagRequest)
	defer r.Release()
	if name != "" {
		r.B = nla.AppendCString(r.B, attrName, name)
	}
	m, err := c.Do(ctx, r)
	if err != nil {
		return "", err // *conn.Error: the errno and the extended ACK
	}
	text, err := nla.Find(genlmsg.Attrs(m, 0), attrText).CString()
	return string(text), err
}
