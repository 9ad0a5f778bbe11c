package socket_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nlwire/nlwire/socket"
)

// A Generic Netlink request, assembled by hand. The packages nlmsg, genlmsg and nla need
// less code.
func Example() {
	s, err := socket.Open(socket.Generic, socket.WithFlags(socket.ExtAck, socket.CapAck))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	ne := binary.NativeEndian
	b := make([]byte, 0, 64)
	b = ne.AppendUint32(b, 32)     // nlmsghdr: length,
	b = ne.AppendUint16(b, 16)     // type: the controller,
	b = ne.AppendUint16(b, 1)      // flags: NLM_F_REQUEST,
	b = ne.AppendUint32(b, 1)      // sequence number,
	b = ne.AppendUint32(b, 0)      // port ID
	b = append(b, 3, 1, 0, 0)      // genlmsghdr: CTRL_CMD_GETFAMILY
	b = ne.AppendUint16(b, 11)     // nlattr: length,
	b = ne.AppendUint16(b, 2)      // type: CTRL_ATTR_FAMILY_NAME
	b = append(b, "nlctrl\x00"...) // 7 bytes
	b = append(b, 0)               // padding
	if err := s.Send(b); err != nil {
		log.Fatal(err)
	}

	buf := make([]byte, socket.BufferSize)
	n, info, err := s.Receive(buf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("from the kernel:", info.PortID == 0)
	fmt.Println("type:", ne.Uint16(buf[4:n]))
	// Output:
	// from the kernel: true
	// type: 16
}

// Two sockets of one protocol exchange a datagram without the kernel.
func ExampleSocket_SendTo() {
	server, err := socket.Open(socket.UserSock)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := socket.Open(socket.UserSock)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	if err := client.SendTo([]byte("hello"), socket.Addr{PortID: server.PortID()}); err != nil {
		log.Fatal(err)
	}
	buf := make([]byte, socket.BufferSize)
	n, info, err := server.Receive(buf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, from the client: %v\n", buf[:n], info.PortID == client.PortID())
	// Output: hello, from the client: true
}

// A batch receives the queued datagrams in one system call.
func ExampleSocket_ReceiveBatch() {
	s, err := socket.Open(socket.UserSock)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	self := socket.Addr{PortID: s.PortID()}
	for _, text := range []string{"one", "two", "three"} {
		if err := s.SendTo([]byte(text), self); err != nil {
			log.Fatal(err)
		}
	}
	batch := socket.MakeBatch(8, 4096) // can be reused for any number of calls
	n, err := s.ReceiveBatch(batch)
	if err != nil {
		log.Fatal(err)
	}
	for i := range n {
		fmt.Printf("%s\n", batch[i].Bytes())
	}
	// Output:
	// one
	// two
	// three
}

// A deadline ends waiting. Close ends it too, with os.ErrClosed.
func ExampleSocket_SetReadDeadline() {
	s, err := socket.Open(socket.Generic)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	if err := s.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		log.Fatal(err)
	}
	_, _, err = s.Receive(make([]byte, socket.BufferSize))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	// Output: true
}
