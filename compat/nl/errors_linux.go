package nl

import (
	"fmt"
	"syscall"

	"github.com/nlwire/nlwire/nlmsg"
	"golang.org/x/sys/unix"
)

// ErrDumpInterrupted means that the list changed during the dump (NLM_F_DUMP_INTR): the
// result may be incomplete or contain duplicates. It also matches EINTR.
var ErrDumpInterrupted = errDumpInterrupted{}

type errDumpInterrupted struct{}

// Error returns the text of the error.
func (errDumpInterrupted) Error() string {
	return "netlink: dump interrupted: the list changed, the result may be inconsistent; repeat the dump"
}

// Is makes errors.Is match EINTR, which older callers compare.
func (errDumpInterrupted) Is(target error) bool { return target == unix.EINTR }

// verdict returns the result in a message of type Error or Done: nil, an errno, or an errno
// with the kernel's text.
func verdict(m nlmsg.Msg) error {
	parse := nlmsg.ParseAck
	if m.Type() == nlmsg.TypeDone {
		parse = nlmsg.ParseDone
	}
	e, err := parse(m)
	switch {
	case e.Errno != 0 && len(e.Msg) > 0:
		return fmt.Errorf("%w: %s", syscall.Errno(e.Errno), e.Msg)
	case e.Errno != 0:
		return syscall.Errno(e.Errno)
	case err != nil && len(m.Payload()) < 4: // no errno
		return fmt.Errorf("netlink: malformed reply: %w", err)
	}
	return nil
}
