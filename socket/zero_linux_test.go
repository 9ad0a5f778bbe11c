package socket

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// bait creates a netlink socket with a queued reply at descriptor 0. check fails the test
// if a method has changed, read or closed it.
func bait(t *testing.T) (check func()) {
	t.Helper()
	s := open(t, Generic)
	if err := s.Send(getFamily(7)); err != nil {
		t.Fatal(err)
	}
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(fd int) {
		if err := unix.Dup3(fd, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		replace(saved)
		unix.Close(saved)
	})
	replace(s.sys.fd)
	want, err := fileID(0)
	if err != nil {
		t.Fatal(err)
	}
	size, err := s.ReceiveBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if got, err := fileID(0); err != nil || got != want {
			t.Errorf("descriptor 0 is file %v, want %v: %v", got, want, err)
		}
		if on, err := s.Flag(PacketInfo); on || err != nil {
			t.Errorf("a flag is set: %v, %v", on, err)
		}
		if groups, err := s.Groups(); len(groups) != 0 || err != nil {
			t.Errorf("member of %v, %v", groups, err)
		}
		if got, err := s.ReceiveBuffer(); got != size || err != nil {
			t.Errorf("receive buffer of %d bytes, want %d: %v", got, size, err)
		}
		if err := s.DetachFilter(); !errors.Is(err, unix.ENOENT) {
			t.Errorf("it had a filter: %v", err)
		}
		if b, _ := receive(t, s); msgSeq(b) != 7 {
			t.Errorf("the first reply is %x", b)
		}
		if _, _, err := s.TryReceive(make([]byte, 16)); err != ErrEmpty {
			t.Errorf("more than one reply: %v", err)
		}
	}
}

// Every method of the zero Socket fails, and none uses descriptor 0.
func TestTheZeroSocketIsClosed(t *testing.T) {
	check := bait(t)
	checkZero(t, os.ErrClosed)
	check()
}

// Every method of a closed Socket fails, and none uses its former descriptor.
func TestAClosedSocketUsesNoDescriptor(t *testing.T) {
	s := open(t, Route)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check := bait(t)
	s.sys.fd = 0 // another file has that descriptor
	for name, err := range methodErrors(t, s) {
		var e *OpError
		if !errors.Is(err, os.ErrClosed) || !errors.As(err, &e) || e.Protocol != Route || e.Hint != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	check()
}
