//go:build !linux

package socket

import (
	"errors"
	"testing"
)

func TestOpenIsUnsupported(t *testing.T) {
	s, err := Open(Generic, WithFlags(ExtAck), WithGroups(1), WithPortID(1), WithNetNS(0),
		WithReceiveBuffer(1), WithSendBuffer(1), WithFilter(Instruction{}))
	if s != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("socket %v, error %v", s, err)
	}
	const want = "netlink generic: socket: unsupported operation: netlink exists on Linux only"
	if err.Error() != want {
		t.Errorf("error text %q, want %q", err, want)
	}
}

func TestTheZeroSocketIsUnsupported(t *testing.T) { checkZero(t, errors.ErrUnsupported) }
