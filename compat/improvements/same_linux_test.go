package improvements

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A datagram of another process may have any length that its send buffer allows. It may be longer than
// every prepared buffer.
func TestLargeDatagrams(t *testing.T) {
	inNamespace(t)
	c := dial(t, unix.NETLINK_USERSOCK, nil)
	must(t, c.SetReadBuffer(64<<20))
	within(t, c, guard)
	for _, size := range []int{16, 17, 32 << 10, 32<<10 + 4, 1 << 20, 8 << 20} {
		m := netlink.Message{Header: netlink.Header{Length: uint32(size+3) &^ 3, Type: 0x100, Sequence: 1}}
		m.Data = bytes.Repeat([]byte{0xa5, byte(size)}, size/2)[:size-16]
		b, err := m.MarshalBinary()
		must(t, err)
		sendTo(t, unix.NETLINK_USERSOCK, c.PID(), b[:size])
		msgs, err := c.Receive()
		must(t, err)
		if len(msgs) != 1 || !bytes.Equal(msgs[0].Data[:size-16], m.Data) {
			t.Fatalf("%d messages from a datagram of %d bytes, or other content", len(msgs), size)
		}
	}
}

// memberships returns the groups of a socket in the kernel.
func memberships(t *testing.T, c *netlink.Conn) (mask uint32) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {
		v, err := unix.GetsockoptInt(int(fd), unix.SOL_NETLINK, unix.NETLINK_LIST_MEMBERSHIPS)
		must(t, err)
		mask = uint32(v)
	}))
	return mask
}

// bind(2) ignores the bits of groups that the protocol lacks.
func TestGroupMask(t *testing.T) {
	inNamespace(t)
	for _, mask := range []uint32{0, 1, 1 << 31, 0x50005, 1<<32 - 1} {
		for _, protocol := range []int{unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER, unix.NETLINK_USERSOCK} {
			fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
			must(t, err)
			must(t, unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: mask}))
			want, err := unix.GetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LIST_MEMBERSHIPS)
			must(t, err)
			must(t, unix.Close(fd))
			c := dial(t, protocol, &netlink.Config{Groups: mask})
			if got := memberships(t, c); got != uint32(want) {
				t.Errorf("protocol %d, mask %#x: groups %#x, want bind's %#x", protocol, mask, got, want)
			}
		}
	}
}

func TestJoinAndLeave(t *testing.T) {
	c := dial(t, unix.NETLINK_ROUTE, nil)
	must(t, c.JoinGroup(1))
	must(t, c.JoinGroup(5))
	must(t, c.LeaveGroup(1))
	if got := memberships(t, c); got != 1<<4 {
		t.Errorf("groups %#x", got)
	}
	for _, err := range []error{c.JoinGroup(1000), c.JoinGroup(0)} {
		sameText(t, err, "netlink join-group: setsockopt: invalid argument")
	}
}

func sameText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// The caller owns received messages: later exchanges do not change them, and the caller's changes do
// not affect later exchanges.
func TestReceivedMemoryIsTheCallers(t *testing.T) {
	inNamespace(t)
	c := dial(t, unix.NETLINK_ROUTE, nil)
	receivers := map[string]func(m netlink.Message) []netlink.Message{
		"Execute": func(m netlink.Message) []netlink.Message {
			msgs, err := c.Execute(m)
			must(t, err)
			return msgs
		},
		"Receive": func(m netlink.Message) []netlink.Message {
			_, err := c.Send(m)
			must(t, err)
			msgs, err := c.Receive()
			must(t, err)
			return msgs
		},
		"ReceiveIter": func(m netlink.Message) (msgs []netlink.Message) {
			_, err := c.Send(m)
			must(t, err)
			for m, err := range c.ReceiveIter() {
				must(t, err)
				msgs = append(msgs, m)
			}
			return msgs
		},
	}
	requests := []netlink.Message{noop, link(unix.RTM_GETLINK, 0, false), link(unix.RTM_GETLINK, netlink.Dump, false)}
	for name, receive := range receivers {
		for _, m := range requests {
			kept := receive(m)
			var copies [][]byte
			for _, k := range kept {
				copies = append(copies, slices.Clone(k.Data))
			}
			for _, other := range receivers {
				for _, m := range requests {
					for _, k := range other(m) {
						full := k.Data[:cap(k.Data)]
						for i := range full {
							full[i] = 0xee // the complete capacity
						}
					}
				}
			}
			for i, k := range kept {
				if !bytes.Equal(k.Data, copies[i]) {
					t.Errorf("%s of type %d: message %d has changed", name, m.Header.Type, i)
				}
			}
		}
	}
}

// The caller also owns the sent messages.
func TestSentMemoryIsTheCallers(t *testing.T) {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	m := getFamily(0)
	before := slices.Clone(m.Data)
	for range 3 {
		_, err := c.Execute(m)
		must(t, err)
	}
	if !bytes.Equal(m.Data, before) {
		t.Error("the payload has changed")
	}
}

// The replies to messages of Send are received in order, one datagram at a time.
func TestSendAndReceive(t *testing.T) {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	within(t, c, guard)
	var sent []uint32
	for range 3 {
		m, err := c.Send(noop)
		must(t, err)
		sent = append(sent, m.Header.Sequence)
	}
	msgs, err := c.SendMessages([]netlink.Message{noop, noop})
	must(t, err)
	for _, m := range msgs {
		sent = append(sent, m.Header.Sequence)
	}
	for i, seq := range sent {
		msgs, err := c.Receive()
		must(t, err)
		if len(msgs) != 1 || msgs[0].Header.Sequence != seq || msgs[0].Header.PID != c.PID() {
			t.Fatalf("reply %d: %+v, want the reply to %d", i, msgs, seq)
		}
		if i > 0 && seq != sent[i-1]+1 {
			t.Errorf("sequence numbers %v", sent)
		}
	}
}

// If the loop ends early, the remaining dump is discarded and the Conn stays usable.
func TestReceiveIterLeftEarly(t *testing.T) {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	within(t, c, guard)
	dump := getFamily(netlink.Dump)
	dump.Data = dump.Data[:4]
	for range 3 {
		_, err := c.Send(dump)
		must(t, err)
		for m, err := range c.ReceiveIter() {
			must(t, err)
			if m.Header.Type != unix.GENL_ID_CTRL {
				t.Errorf("%+v", m.Header)
			}
			break
		}
		_, err = c.Execute(noop)
		must(t, err)
	}
}

// The texts and types of the errors of all calls.
func TestErrors(t *testing.T) {
	c := dial(t, unix.NETLINK_ROUTE, nil)
	_, err := c.Execute(link(0x7ff0, netlink.Acknowledge, false))
	sameText(t, err, "netlink receive: operation not supported")
	var e *netlink.OpError
	if !errors.As(err, &e) || e.Err != error(unix.EOPNOTSUPP) || e.Sequence == 0 || e.Timeout() || e.Temporary() {
		t.Errorf("%#v", err)
	}
	must(t, c.SetOption(netlink.ExtendedAcknowledge, true))
	_, err = c.Execute(link(unix.RTM_GETLINK, 0, false, attr(unix.IFLA_MTU, []byte{1, 2})...))
	sameText(t, err, `netlink receive: numerical result out of range, offset: 32, message: "Attribute failed policy validation"`)
	sameText(t, c.SetOption(99, true), "netlink set-option: setsockopt: protocol not available")
	sameText(t, c.SetBPF(nil), "netlink set-bpf: setsockopt: invalid argument")
	sameText(t, c.RemoveBPF(), "netlink remove-bpf: setsockopt: no such file or directory")
	_, err = c.Send(netlink.Message{Header: netlink.Header{Length: 17}})
	sameText(t, err, "netlink send: netlink message header length incorrect")
	_, err = c.SendMessages([]netlink.Message{{Header: netlink.Header{Length: 3}}})
	sameText(t, err, "netlink send-messages: netlink message header length incorrect")
	_, err = c.SendMessages(nil)
	sameText(t, err, "netlink send-messages: sendmsg: no data available")
	must(t, c.SetDeadline(time.Unix(1, 0)))
	_, err = c.Receive()
	sameText(t, err, "netlink receive: i/o timeout")
	_, err = c.Execute(noop)
	sameText(t, err, "netlink send: i/o timeout")
	if !errors.As(err, &e) || !e.Timeout() || !e.Temporary() {
		t.Errorf("%#v", err)
	}
	must(t, c.Close())
	must(t, c.Close())
	_, rb := c.ReadBuffer()
	_, sc := c.SyscallConn()
	_, receive := c.Receive()
	_, execute := c.Execute(noop)
	for op, err := range map[string]error{
		"netlink receive: recvmsg: ": receive, "netlink send: sendmsg: ": execute, "netlink join-group: setsockopt: ": c.JoinGroup(1),
		"netlink set-option: setsockopt: ": c.SetOption(0, true), "netlink get-read-buffer: getsockopt: ": rb, "syscallconn: ": sc,
		"netlink set-read-buffer: setsockopt: ": c.SetReadBuffer(1), "netlink remove-bpf: setsockopt: ": c.RemoveBPF(),
	} {
		sameText(t, err, op+"bad file descriptor")
	}
	sameText(t, c.SetReadDeadline(time.Time{}), "netlink set-read-deadline: use of closed file")
}

func TestErrorsOfDial(t *testing.T) {
	_, err := netlink.Dial(99, nil)
	sameText(t, err, "socket: protocol not supported")
	_, err = netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: 1 << 20})
	sameText(t, err, "setns: bad file descriptor")
	c := dial(t, unix.NETLINK_ROUTE, nil)
	_, err = netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{PID: c.PID()})
	sameText(t, err, "bind: address already in use")
	var e *os.SyscallError
	if !errors.As(err, &e) || e.Err != unix.EADDRINUSE {
		t.Errorf("%#v", err)
	}
}

// A datagram longer than MessageBufferSize is an error.
func TestMessageBufferSize(t *testing.T) {
	inNamespace(t)
	for size, want := range map[int]string{1: "netlink receive: message truncated", 35: "netlink receive: message truncated",
		36: "", 37: "", 1000: "", 8 << 20: ""} {
		c := dial(t, unix.NETLINK_GENERIC, &netlink.Config{MessageBufferSize: size})
		msgs, err := c.Execute(noop)
		if want != "" {
			sameText(t, err, want)
			continue
		}
		must(t, err)
		if len(msgs) != 1 || len(msgs[0].Data) != 20 {
			t.Errorf("size %d: %+v", size, msgs)
		}
	}
}

// The reply to a Send is not lost if an Execute precedes its Receive. In the original, the Execute
// returns an error because of the sequence number.
func TestExecuteAfterSend(t *testing.T) {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	within(t, c, guard)
	m, err := c.Send(noop)
	must(t, err)
	_, err = c.Execute(noop)
	if isOriginal() {
		sameText(t, err, "netlink validate: mismatched sequence in netlink reply")
		return
	}
	must(t, err)
	msgs, err := c.Receive()
	must(t, err)
	if len(msgs) != 1 || msgs[0].Header.Sequence != m.Header.Sequence {
		t.Error(fmt.Sprint(msgs))
	}
}

// A program may use the same sequence number for all requests. It also receives the replies after a
// deadline: the next Receive returns the late reply, and in the original so does an Execute.
func TestOwnSequenceNumbers(t *testing.T) {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	m := noop
	m.Header.Sequence = 5
	for _, next := range []func() error{
		func() error { _, err := c.Execute(m); return err },
		func() error {
			if _, err := c.Send(m); err != nil {
				return err
			}
			_, err := c.Receive()
			return err
		},
	} {
		must(t, c.SetReadDeadline(time.Unix(1, 0)))
		if _, err := c.Execute(m); !isTimeout(err) {
			t.Fatal(err)
		}
		within(t, c, guard)
		must(t, next())
		_, err := c.Send(m) // its reply is received below
		must(t, err)
		msgs, err := c.Receive()
		must(t, err)
		if len(msgs) != 1 || msgs[0].Header.Sequence != 5 {
			t.Errorf("%+v", msgs)
		}
	}
}

// The kernel repeats the request in an error, so its datagrams can be long too. kmalloc limits them to
// less than 4 MiB.
func TestLargeDatagramsOfTheKernel(t *testing.T) {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	must(t, c.SetWriteBuffer(32<<20))
	must(t, c.SetReadBuffer(32<<20))
	within(t, c, guard)
	for _, size := range []int{32 << 10, 100 << 10, 1<<20 + 4, 2 << 20, 4<<20 - 8<<10, 4 << 20, 4<<20 + 8<<10, 8 << 20} {
		m := netlink.Message{Header: netlink.Header{Type: 0x7777, Flags: netlink.Request}, Data: make([]byte, size)}
		_, err := c.Execute(m)
		if errors.Is(err, unix.ENOBUFS) && size > 2<<20 {
			t.Logf("the kernel cannot allocate an error with %d bytes", size)
			continue
		}
		sameText(t, err, "netlink receive: no such file or directory")
		_, err = c.Send(m)
		must(t, err)
		_, err = c.Receive()
		sameText(t, err, "netlink receive: no such file or directory")
	}
}
