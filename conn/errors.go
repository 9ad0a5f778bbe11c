package conn

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// The errors of an exchange, apart from those that the kernel reports.
var (
	// ErrInterrupted: the kernel marked a dump as inconsistent (NLM_F_DUMP_INTR), because
	// the list changed during the dump. Entries may be missing or duplicated in the
	// delivered messages. [Retry] repeats the dump.
	ErrInterrupted = errors.New("inconsistent dump: the list changed meanwhile; repeat it (Retry)")
	// ErrOverrun: a message of type OVERRUN arrived. The kernel lost data.
	ErrOverrun = errors.New("the kernel reports an overrun: data was lost")
	// ErrTooMuch: a request had more replies than WithQueue allows, or a subscription more
	// messages during exchanges.
	ErrTooMuch = errors.New("reply queue limit exceeded (WithQueue)")
	// ErrUnanswered: the kernel handled the request, but sent no acknowledgement although
	// the request has nlmsg.FlagAck, or no message at all for a list. In a batch, an
	// earlier request or the batch as a whole failed.
	ErrUnanswered = errors.New("not answered: the kernel ignored the request, or the batch failed earlier")
	// ErrNoDialer: a subscription needs a second Transport, and the Conn has no Dialer.
	ErrNoDialer = errors.New("conn: no second Transport: make the Conn with Open, or use WithDialer")
	// ErrRequest: the Request is in use, was released or copied, or was not made by a Conn.
	ErrRequest = errors.New("conn: the Request is in use, was released or copied, or was not made by Conn.Request")
	// ErrBusy: no Transport is free and no other can be opened. The rest of the dump that
	// uses the chosen one exceeds the limit of WithQueue.
	ErrBusy = errors.New("no free Transport: the rest of the running dump exceeds the queue limit (WithQueue)")
	// ErrBatchSize: a batch that must be one datagram, or a single request, does not fit
	// into the socket buffers. It was not sent. If the batch was split, earlier requests
	// may have been sent.
	ErrBatchSize = errors.New("the batch does not fit into the socket buffers and cannot be split")
	// ErrClosed: the Conn is closed. It matches [os.ErrClosed].
	ErrClosed error = closedError("conn: closed")
	// ErrClosedWaiting: the Conn was closed while an exchange waited. The kernel may have
	// handled the request. It matches [os.ErrClosed].
	ErrClosedWaiting error = closedError("conn: closed while waiting")

	errZero error = closedError("conn: the zero Conn is not open: make one with Open or New")

	errManyPolicies = errors.New("conn: Dump takes at most one Interrupted argument")
)

// closedError is an error that matches os.ErrClosed.
type closedError string

func (e closedError) Error() string { return string(e) }

// Is reports whether target is os.ErrClosed.
func (e closedError) Is(target error) bool { return target == os.ErrClosed }

// isLoss reports whether err is a LossError, which already names the operation.
func isLoss(err error) bool {
	var loss *LossError
	return errors.As(err, &loss)
}

// Error is the kernel's refusal of a request or, if Errno is 0, the text and cookie of a
// success. It owns its memory; its field Request is nil.
type Error struct {
	Op  string // the operation
	Seq uint32 // the sequence number that the request was sent with
	nlmsg.ExtAck
	IsDump bool // the request has nlmsg.FlagDump

	Path     []uint16     // path of types to the bad attribute, outermost nest first; nil: not in the request
	Name     string       // name of the bad attribute, from [Request.Name]
	Rule     *policy.Rule // the rule that the attribute violates, if the kernel reported it
	MissPath []uint16     // path of types to the nest that lacks an attribute; nil: the top level
	MissName string       // name of the missing attribute, from [Request.Name]
}

// Error returns one line: the operation, the errno, the kernel's text, the bad or missing
// attribute and its rule, and a hint.
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString("conn: " + e.Op)
	if e.Errno != 0 {
		s.WriteString(": " + e.Errno.Error())
	}
	if len(e.Msg) > 0 {
		s.WriteString(": " + string(e.Msg))
	}
	if e.Offset != 0 {
		if e.Path != nil {
			s.WriteString(": attribute " + pathText(e.Path))
		} else {
			fmt.Fprintf(&s, ": at offset %d", e.Offset)
		}
		if e.Name != "" {
			s.WriteString(" (" + e.Name + ")")
		}
	}
	if e.Rule != nil {
		s.WriteString(": it must be " + e.Rule.String())
	}
	if e.MissType != 0 {
		s.WriteString(": attribute " + pathText(append(e.MissPath[:len(e.MissPath):len(e.MissPath)], uint16(e.MissType))) + " is missing")
		if e.MissName != "" {
			s.WriteString(" (" + e.MissName + ")")
		}
	}
	if hint := e.hint(); hint != "" {
		s.WriteString(": " + hint)
	}
	return s.String()
}

// hint explains errnos of the netlink core.
func (e *Error) hint() string {
	switch e.Errno {
	case errno.EBUSY:
		if e.IsDump && len(e.Msg) == 0 {
			return "another dump is running on this socket"
		}
	case errno.EPERM:
		return "a capability is required, usually CAP_NET_ADMIN"
	}
	return ""
}

// Unwrap returns the errno, nil for a warning.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// newError copies the kernel's answer to the request r.
func newError(r *Request, a *nlmsg.ExtAck) *Error {
	e := &Error{Op: r.op(), Seq: r.seq, IsDump: r.msg().Flags()&nlmsg.FlagDump == nlmsg.FlagDump}
	answer := *a
	answer.Request = nil
	e.ExtAck = answer.Clone()
	if e.Offset != 0 {
		e.Path = r.path(e.Offset)
		e.Name = r.name(e.Path)
	}
	if rule, _, err := policywire.ParseRule(e.Policy); err == nil {
		e.Rule = &rule
	}
	if e.MissType != 0 {
		if e.MissNest != 0 {
			e.MissPath = r.path(e.MissNest)
		}
		e.MissName = r.name(append(e.MissPath[:len(e.MissPath):len(e.MissPath)], uint16(e.MissType)))
	}
	return e
}

// LossError reports that a message of the kernel did not arrive: the result of a request is
// unknown, or notifications are missing.
//
// Err is [errno.ENOBUFS] (the receive buffer was full), [socket.ErrTruncated] (the datagram
// was longer than [WithBuffer] allows), [ErrOverrun] or [ErrTooMuch]; errors.Is finds it.
type LossError struct {
	Op  string // the operation
	Seq uint32 // the sequence number of the request, 0 for notifications
	Err error
}

// Error returns the operation and the kind of loss.
func (e *LossError) Error() string {
	s := "conn: " + e.Op + ": lost: " + e.Err.Error()
	if errno.Is(e.Err, errno.ENOBUFS) {
		return s + ": the receive buffer was full; the outcome is unknown"
	}
	return s
}

// Unwrap returns Err.
func (e *LossError) Unwrap() error { return e.Err }

// Is makes errors.Is match the errno also as an errno.Errno.
func (e *LossError) Is(target error) bool { return errno.Is(e.Err, target) }
