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

// client is a genetlink.Conn, and the Conn that it runs over.
type client struct {
	*genetlink.Conn
	nl   *netlink.Conn
	sock *portSocket // nil on the kernel
}

// newClient gives up waiting long before go test would: what is missing is then
// told by the test that misses it.
func newClient(t *testing.T, nl *netlink.Conn, sock *portSocket) *client {
	t.Helper()
	c := &client{genetlink.NewConn(nl), nl, sock}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

// place is where a client is tried: a bus, or the kernel.
type place interface {
	// dial is netlink.Dial.
	dial(t *testing.T, config netlink.Config) (*client, error)
	// forge sends a datagram to a port ID from somebody who is not the kernel.
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

// dialPort is dial with options that only a port has.
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

// isClosed reports whether the error is one of a closed socket. The library has EBADF
// for who comes later, and for who waits what package os tells, which has no name
// where the poller was entered meanwhile.
func isClosed(err error) bool {
	return errors.Is(err, unix.EBADF) || errors.Is(err, os.ErrClosed) ||
		err != nil && strings.HasSuffix(err.Error(), "use of closed file")
}

// answersNow checks that nothing is queued but what the client asks for now: an ACK
// to a message that is for nobody.
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
