package nl

import (
	"fmt"
	"syscall"

	"github.com/nlwire/nlwire/nlmsg"
	"golang.org/x/sys/unix"
)

// ErrDumpInterrupted says that a list changed while it was dumped (NLM_F_DUMP_INTR): the
// result may be incomplete or have duplicates. It matches EINTR, too.
var ErrDumpInterrupted = errDumpInterrupted{}

type errDumpInterrupted struct{}

// Error returns the text of the error.
func (errDumpInterrupted) Error() string {
	return "netlink: the dump is inconsistent: the list changed meanwhile"
}

// Is makes errors.Is find EINTR, which callers looked for before this type existed.
func (errDumpInterrupted) Is(target error) bool { return target == unix.EINTR }

// verdict returns the error in a message of type Error or Done: nil, an errno, or one
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
		return fmt.Errorf("netlink: malformed answer: %w", err)
	}
	return nil
}
