package bus

import (
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

// sendBuffered is a Port or a Socket.
type sendBuffered interface {
	Send(b []byte) error
	SetSendBuffer(bytes int) error
	SendBuffer() (bytes int, err error)
}

// The send buffer of a Port has the same sizes as a Socket's, and accepts the same
// datagrams. More than net.core.wmem_max requires CAP_NET_ADMIN.
func TestKernelSendBuffer(t *testing.T) {
	s, err := socket.Open(socket.Generic, socket.WithNetNS(kerneltest.NewNetNS(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := openPort(t, newBus(t))
	use := func(b sendBuffered, asked int) string {
		if err := b.SetSendBuffer(asked); err != nil {
			t.Fatal(err)
		}
		size, err := b.SendBuffer()
		if err != nil {
			t.Fatal(err)
		}
		result := fmt.Sprint(size)
		for n := size - 33; size < 1<<20 && n < size-30; n++ {
			result += fmt.Sprint(" ", b.Send(make([]byte, n)) == nil)
		}
		return result
	}
	for _, asked := range []int{0, -1, 1, 2303, 2304, 2305, 5000, 106496, 212992, 212993, 1 << 20, 1<<30 - 1, 1 << 30, 1<<31 - 1} {
		if want, got := use(s, asked), use(p, asked); got != want {
			t.Errorf("asked for %d: %s, want %s (buffer size, success of sends of about this size)", asked, got, want)
		}
	}
}
