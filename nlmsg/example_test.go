package nlmsg_test

import (
	"fmt"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

const (
	newLink = 16 // RTM_NEWLINK of linux/rtnetlink.h
	getLink = 18 // RTM_GETLINK
)

// A request consists of the header, the family's fixed header, and attributes.
func ExampleBegin() {
	b := nlmsg.Begin(nil, getLink, nlmsg.FlagRequest|nlmsg.FlagAck, 1, 0)
	b = append(b, make([]byte, 16)...)  // struct ifinfomsg
	b = nla.AppendCString(b, 3, "eth0") // IFLA_IFNAME
	b = nlmsg.End(b, 0)

	req, _ := nlmsg.Consume(b)
	name, err := nla.Find(req.Attrs(16), 3).CString()
	fmt.Println(req)
	fmt.Printf("%s %v\n", name, err)
	// Output:
	// len 44 type 0x12 flags request|ack seq 1 port 0
	// eth0 <nil>
}

// A buffer of the right size does not grow. The size of a message is computed from the sizes of
// its parts, including headers and padding.
func ExampleSize() {
	name := "eth0"
	size := nlmsg.Size(16 + nla.Size(len(name)+1)) // with the NUL
	b := nlmsg.Begin(make([]byte, 0, size), getLink, nlmsg.FlagRequest, 1, 0)
	b = append(b, make([]byte, 16)...) // struct ifinfomsg
	b = nla.AppendCString(b, 3, name)
	b = nlmsg.End(b, 0)
	fmt.Println(len(b), cap(b))
	// Output:
	// 44 44
}

// A datagram may hold several messages; a Done ends a dump.
func ExampleAll() {
	b := nlmsg.Begin(nil, 16, nlmsg.FlagMulti, 1, 0)
	b = nlmsg.End(append(b, 1, 2, 0, 0), 0)
	b = nlmsg.AppendDone(b, &nlmsg.ExtAck{Request: b}, 0, nlmsg.AckOptions{})

	for msg, err := range nlmsg.All(b) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(msg)
	}
	// Output:
	// len 20 type 0x10 flags multi seq 1 port 0
	// len 20 type done flags multi seq 1 port 0
}

// The kernel's answer to an invalid request reports the cause and the offset.
func ExampleParseAck() {
	req := nlmsg.Begin(nil, getLink, nlmsg.FlagRequest, 7, 0)
	req = nlmsg.End(append(req, 1, 2, 3, 4), 0)
	b := nlmsg.AppendAck(nil, &nlmsg.ExtAck{
		Errno: errno.EINVAL, Request: req, Msg: []byte("Invalid header for get link"), Offset: 16,
	}, nlmsg.AckOptions{PortID: 4242, Ext: true})

	ack, err := nlmsg.ParseAck(b)
	fmt.Println(ack.Errno, err)
	fmt.Printf("%s\n", ack.Msg)
	fmt.Println(ack.Offset)
	// Output:
	// invalid argument <nil>
	// Invalid header for get link
	// 16
}

// Walk is the fastest way to read a dump: the fields of each message are read in place.
func ExampleWalk() {
	var datagram []byte
	for _, name := range []string{"lo", "eth0"} {
		m := len(datagram)
		datagram = nlmsg.Begin(datagram, newLink, nlmsg.FlagMulti, 1, 0)
		datagram = append(datagram, make([]byte, 16)...) // struct ifinfomsg
		datagram = nla.AppendCString(datagram, 3, name)  // IFLA_IFNAME
		datagram = nlmsg.End(datagram, m)
	}

	c := nlmsg.Walk(datagram)
	for ; c.More(); c = c.Next() {
		if c.Type() != newLink {
			continue
		}
		for a, err := range nla.All(c.Attrs(16)) {
			if err != nil {
				fmt.Println(err)
				break
			}
			name, err := a.CString()
			fmt.Printf("%d: %s %v\n", a.Type(), name, err)
		}
	}
	fmt.Println(c.Err())
	// Output:
	// 3: lo <nil>
	// 3: eth0 <nil>
	// <nil>
}
