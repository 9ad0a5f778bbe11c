// Package moduletest compares a family on a bus with the same family on a kernel or on
// another bus, by the bytes of the replies to random requests.
package moduletest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/socket"
)

// Side is an endpoint that is compared: a *socket.Socket or a *bus.Port.
type Side interface {
	Send(b []byte) error
	TryReceive(b []byte) (n int, info socket.Info, err error)
	Receive(b []byte) (n int, info socket.Info, err error)
	SetReadDeadline(t time.Time) error
}

// Adopt registers a family with a given ID and first group number, by registering
// placeholder families that take the lower numbers.
func Adopt(tb testing.TB, b *bus.Bus, f *bus.Family, id uint16, group uint32) {
	tb.Helper()
	const firstID, firstGroup, lastGroup = 19, 2, 15 // groups 16 to 18 have owners
	groups := []int{0, 0}
	if group > 0 {
		groups[0] = int(min(group-1, lastGroup)) - firstGroup + 1
		groups[1] = max(int(group)-firstID, 0)
	}
	for i := firstID; i < int(id); i++ {
		placeholder := &bus.Family{Name: fmt.Sprint("placeholder", i)}
		if n := i - firstID; n < len(groups) {
			for g := range groups[n] {
				placeholder.Groups = append(placeholder.Groups, bus.Group{Name: fmt.Sprint(g)})
			}
		}
		if err := b.Register(placeholder); err != nil {
			tb.Fatal(err)
		}
	}
	if err := b.Register(f); err != nil {
		tb.Fatal(err)
	}
	if uint16(f.ID()) != id || f.GroupID(0) != group {
		tb.Fatalf("%s has ID %d and group %d on the bus, want %d and %d", f.Name, f.ID(), f.GroupID(0), id, group)
	}
}

// Comparison counts requests and datagrams.
type Comparison struct {
	Requests  int
	Datagrams int // compared
	Different int
	ByCmd     map[uint8]int // differences by command
	First     string        // the first difference

	buffers [2][]byte
}

// patience is the time to wait for a late datagram that the other side has sent.
const patience = 5 * time.Second

// Compare sends a request to both sides and compares their replies. If the reply may be
// late, wait is the time to wait for it.
func (c *Comparison) Compare(tb testing.TB, other, twin Side, request []byte, wait time.Duration) {
	tb.Helper()
	if c.buffers[0] == nil {
		c.buffers = [2][]byte{make([]byte, 256<<10), make([]byte, 256<<10)}
	}
	c.Requests++
	a, b := other.Send(request), twin.Send(request)
	if (a == nil) != (b == nil) {
		tb.Fatalf("send: %v, bus %v", a, b)
	}
	for mayBeLate := wait > 0; ; {
		theirs, late := receive(tb, other, c.buffers[0], wait)
		if theirs == nil {
			wait = 0 // the time has passed for both
		}
		ours, _ := receive(tb, twin, c.buffers[1], wait)
		if theirs == nil && ours == nil {
			return
		}
		if mayBeLate && theirs == nil { // a busy machine delays one side more than the other
			theirs, late = receive(tb, other, c.buffers[0], patience)
		} else if mayBeLate && ours == nil {
			ours, _ = receive(tb, twin, c.buffers[1], patience)
		}
		if late {
			wait, mayBeLate = 0, false // at most one datagram is late
		}
		c.Datagrams++
		if bytes.Equal(theirs, ours) {
			continue
		}
		if c.Different++; c.First == "" {
			c.First = fmt.Sprintf("request %x\n  other %x\n  bus   %x", request, theirs, ours)
		}
		if c.ByCmd == nil {
			c.ByCmd = map[uint8]int{}
		}
		if len(request) >= 20 {
			c.ByCmd[genlmsg.Header(request[16:20]).Cmd()]++
		}
	}
}

// receive returns the next datagram, or its errno as one byte, or nil if there is none. late
// reports whether it had to wait for the datagram.
func receive(tb testing.TB, s Side, buf []byte, wait time.Duration) (b []byte, late bool) {
	tb.Helper()
	n, _, err := s.TryReceive(buf)
	if err == socket.ErrEmpty && wait > 0 {
		if err := s.SetReadDeadline(time.Now().Add(wait)); err != nil {
			tb.Fatal(err)
		}
		late = true
		n, _, err = s.Receive(buf)
	}
	var e errno.Errno
	switch {
	case err == nil:
		return buf[:n], late
	case err == socket.ErrEmpty, errors.Is(err, os.ErrDeadlineExceeded):
		return nil, late
	case errors.As(err, &e):
		return []byte{byte(e)}, late
	}
	tb.Fatal(err)
	return nil, false
}

// Options returns a random set of socket options.
func Options(g generate.Generator) (flags []socket.Flag) {
	for _, f := range []socket.Flag{socket.ExtAck, socket.CapAck, socket.StrictCheck} {
		if g.IntN(2) == 0 {
			flags = append(flags, f)
		}
	}
	return flags
}
