package nlmsg

import (
	"errors"
	"strconv"
)

// Errors of messages. All are static, so that returning them does not allocate.
var (
	// ErrTruncated: the header, or the payload of an answer, is incomplete.
	ErrTruncated = errors.New("nlmsg: message cut short")
	// ErrLength: the length field is below the 16 bytes of the header.
	ErrLength = errors.New("nlmsg: message length below its header")
	// ErrOverrun: the length field reaches past the end of the input.
	ErrOverrun = errors.New("nlmsg: message length past the end of the input")
	// ErrType: the message does not have the type that the function reads.
	ErrType = errors.New("nlmsg: not a message of this type")
	// ErrEcho: the request repeated in an Error message reaches past the end of the message.
	ErrEcho = errors.New("nlmsg: repeated request is larger than the message")
	// ErrExtAck: an extended ACK attribute has the wrong size.
	ErrExtAck = errors.New("nlmsg: malformed extended ACK attribute")
)

// The negative results of Consume.
const (
	_ = -iota
	codeTruncated
	codeLength
	codeOverrun
)

// ParseError returns the error that a negative result of Consume represents: ErrTruncated,
// ErrLength or ErrOverrun. It returns nil for n >= 0 and never allocates.
func ParseError(n int) error {
	switch {
	case n >= 0:
		return nil
	case n == codeTruncated:
		return ErrTruncated
	case n == codeLength:
		return ErrLength
	}
	return ErrOverrun
}

// SyntaxError reports where a datagram is malformed. The kernel silently drops the rest of such a
// datagram (netlink_rcv_skb).
type SyntaxError struct {
	Offset int   // in bytes from the start of the input
	Err    error // one of the static errors of this package, or of nla
}

// Error returns the reason and the offset.
func (e *SyntaxError) Error() string { return e.Err.Error() + " at offset " + strconv.Itoa(e.Offset) }

// Unwrap returns Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// syntaxError keeps the allocation out of the loops that are inlined into their callers.
//
//go:noinline
func syntaxError(offset int, err error) error { return &SyntaxError{offset, err} }
