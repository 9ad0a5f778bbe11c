package differential

import (
	"cmp"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// client is a genetlink.Conn and the netlink.Conn that it uses.
type client struct {
	*genetlink.Conn
	nl   *netlink.Conn
	sock *portSocket // nil on the kernel
}

// newClient sets a deadline shorter than the timeout of go test, so that a test with a missing message
// fails itself.
func newClient(t *testing.T, nl *netlink.Conn, sock *portSocket) *client {
	t.Helper()
	c := &client{genetlink.NewConn(nl), nl, sock}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

// place is a peer of the client: a bus or the kernel.
type place interface {
	// dial is like netlink.Dial.
	dial(t *testing.T, config netlink.Config) (*client, error)
	// forge sends a datagram to a port ID from a sender other than the kernel.
	forge(t *testing.T, portID uint32, datagram []byte)
}

// onBoth runs a test on a new bus and on the kernel.
func onBoth(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("bus", func(t *testing.T) { test(t, newBus(t)) })
	t.Run("kernel", func(t *testing.T) { test(t, kernel{}) })
}

func dial(t *testing.T, p place) *client {
	t.Helper()
	return dialWith(t, p, netlink.Config{})
}

func dialWith(t *testing.T, p place, config netlink.Config) *client {
	t.Helper()
	c, err := p.dial(t, config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type kernel struct{}

func (kernel) dial(t *testing.T, config netlink.Config) (*client, error) {
	nl, err := netlink.Dial(genetlink.Protocol, &config)
	if err != nil {
		return nil, err
	}
	return newClient(t, nl, nil), nil
}

func (kernel) forge(t *testing.T, portID uint32, datagram []byte) {
	t.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kerneltest.NeedPrivilege(t, s.SendTo(datagram, socket.Addr{PortID: portID}))
}

// busPlace is a bus with DOC_EXMPL.
type busPlace struct {
	*bus.Bus
	docexmpl *bus.Family
}

func newBus(t *testing.T, options ...bus.Option) busPlace {
	t.Helper()
	b := busPlace{bus.New(options...), docexmpl.New()}
	t.Cleanup(func() { b.Close() })
	register(t, b, b.docexmpl)
	return b
}

func register(t *testing.T, b busPlace, f *bus.Family) {
	t.Helper()
	if err := b.Register(f); err != nil {
		t.Fatal(err)
	}
}

func (b busPlace) dial(t *testing.T, config netlink.Config) (*client, error) {
	return b.dialPort(t, config)
}

// dialPort is dial with additional port options.
func (b busPlace) dialPort(t *testing.T, config netlink.Config, options ...bus.PortOption) (*client, error) {
	if config.PID != 0 {
		options = append(options, bus.WithPortID(config.PID))
	}
	if config.Strict {
		options = append(options, bus.WithFlags(socket.ExtAck, socket.StrictCheck))
	}
	port, err := b.Open(options...)
	if err != nil {
		return nil, asOfSocket("bind", err)
	}
	for group := uint32(1); group <= 32; group++ {
		if config.Groups&(1<<(group-1)) == 0 {
			continue
		}
		if err := port.Join(group); err != nil {
			return nil, errors.Join(asOfSocket("bind", err), port.Close())
		}
	}
	sock := &portSocket{port: port, size: cmp.Or(config.MessageBufferSize, socket.BufferSize)}
	return newClient(t, netlink.NewConn(sock, port.PortID()), sock), nil
}

func (b busPlace) forge(t *testing.T, portID uint32, datagram []byte) {
	t.Helper()
	forger, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer forger.Close()
	if err := forger.SendTo(portID, datagram); err != nil {
		t.Fatal(err)
	}
}

// attrs encodes attributes with the library's encoder.
func attrs(t *testing.T, write func(*netlink.AttributeEncoder)) []byte {
	t.Helper()
	e := netlink.NewAttributeEncoder()
	write(e)
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// isClosed reports whether err is the error of a closed socket. The library returns EBADF for later
// calls. For waiting calls it returns the error of package os, which can be a poller error without an
// exported name.
func isClosed(err error) bool {
	return errors.Is(err, unix.EBADF) || errors.Is(err, os.ErrClosed) ||
		err != nil && strings.HasSuffix(err.Error(), "use of closed file")
}

// answersNow checks that the queue is empty: it sends a message without a receiver, and the next
// received message must be its ACK.
func answersNow(t *testing.T, c *client) {
	t.Helper()
	m, err := c.Send(genetlink.Message{}, 0, netlink.Request|netlink.Acknowledge)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := c.nl.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != 1 || answers[0].Header.Type != netlink.Error || answers[0].Header.Sequence != m.Header.Sequence {
		t.Fatalf("sent %+v, received %+v", m, answers)
	}
}
