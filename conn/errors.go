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

// What can go wrong with an exchange, besides what the kernel reports.
var (
	// ErrInterrupted: the kernel marked a dump as inconsistent, because the list
	// changed meanwhile (NLM_F_DUMP_INTR). The messages delivered may lack
	// entries, or have some twice.
	ErrInterrupted = errors.New("the dump is inconsistent: the list changed meanwhile")
	// ErrOverrun: a message of type OVERRUN came: the kernel lost data.
	ErrOverrun = errors.New("the kernel reports an overrun: data was lost")
	// ErrTooMuch: a request had more replies, or a subscription more messages during
	// exchanges, than WithQueue allows.
	ErrTooMuch = errors.New("reply queue limit exceeded (WithQueue)")
	// ErrUnanswered: the kernel has handled the request, and sent no acknowledgement
	// although the request has nlmsg.FlagAck, or nothing at all for a list. In a batch one
	// before it failed, or the batch as a whole.
	ErrUnanswered = errors.New("not answered: the request was ignored, or the batch failed before it")
	// ErrNoDialer: a subscription needs a Transport of its own, and the Conn has no Dialer.
	ErrNoDialer = errors.New("conn: no second Transport: make the Conn with Open, or give it WithDialer")
	// ErrRequest: the Request is in use, was released or copied, or no Conn made it.
	ErrRequest = errors.New("conn: the Request is in use, was released or copied, or was not made by Conn.Request")
	// ErrBusy: no Transport is free and no other can be opened; the one chosen has a dump
	// whose rest exceeds the limit of WithQueue.
	ErrBusy = errors.New("the only Transport is busy with a dump whose rest exceeds the queue limit (WithQueue)")
	// ErrBatchSize: a batch that must be one datagram, or one request alone, does not fit
	// into the socket's buffers. It was not sent; earlier requests of a batch that was
	// split may have been.
	ErrBatchSize = errors.New("the batch does not fit into the buffers of the socket, and cannot be split")
	// ErrClosed: the Conn was closed before. It matches [os.ErrClosed].
	ErrClosed error = closedError("conn: closed")
	// ErrClosedWaiting: the Conn was closed while an exchange waited. The kernel may
	// have handled the request. It matches [os.ErrClosed].
	ErrClosedWaiting error = closedError("conn: closed while waiting")

	errZero error = closedError("conn: the zero Conn is not open: make one with Open or New")

	errManyPolicies = errors.New("conn: a dump has one policy for interruptions")
)

// closedError is an error that matches os.ErrClosed.
type closedError string

func (e closedError) Error() string { return string(e) }

// Is reports whether target is os.ErrClosed.
func (e closedError) Is(target error) bool { return target == os.ErrClosed }

// isLoss reports whether err says by itself what was being done.
func isLoss(err error) bool {
	var loss *LossError
	return errors.As(err, &loss)
}

// Error is the kernel's refusal of a request, or with Errno 0 what it reported
// besides success. Its contents are its own, and its Request is nil.
type Error struct {
	Op  string // the operation
	Seq uint32 // the sequence number that the request was sent with
	nlmsg.ExtAck
	IsDump bool // the request has nlmsg.FlagDump

	Path     []uint16     // the types of the nests around the bad attribute, outermost first, and its own; nil if it is not in the request
	Name     string       // of that attribute, from [Request.Name]
	Rule     *policy.Rule // the rule that it failed, if the kernel reported it
	MissPath []uint16     // of the nest that lacks an attribute; nil is the top level
	MissName string       // of the missing attribute, from [Request.Name]
}

// Error returns one line: what was done, the errno, the kernel's words, the
// attribute, what it should be.
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

// hint explains the errnos of the netlink core.
func (e *Error) hint() string {
	switch e.Errno {
	case errno.EBUSY:
		if e.IsDump && len(e.Msg) == 0 {
			return "another dump is running on this socket"
		}
	case errno.EPERM:
		return "it needs a capability, most often CAP_NET_ADMIN"
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

// newError copies an answer to the request r.
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

// LossError says that something the kernel sent did not arrive, so that it is
// not known what came of a request, or that notifications are missing.
//
// Err is [errno.ENOBUFS] (the receive buffer was full), [socket.ErrTruncated]
// (the datagram was longer than [WithBuffer] allows),
// [ErrOverrun] or [ErrTooMuch]; errors.Is finds it.
type LossError struct {
	Op  string // the operation
	Seq uint32 // the sequence number of the request, 0 for notifications
	Err error
}

// Error returns what was being done and what was lost.
func (e *LossError) Error() string {
	s := "conn: " + e.Op + ": lost: " + e.Err.Error()
	if errno.Is(e.Err, errno.ENOBUFS) {
		return s + ": the receive buffer was full; it is not known what came of it"
	}
	return s
}

// Unwrap returns Err.
func (e *LossError) Unwrap() error { return e.Err }

// Is makes errors.Is find the errno also as an errno.Errno.
func (e *LossError) Is(target error) bool { return errno.Is(e.Err, target) }
