package nla

import (
	"errors"
	"strconv"
)

// Errors of attributes. All are static, so that returning them does not allocate.
var (
	// ErrTruncated: fewer than 4 bytes are left for the header.
	ErrTruncated = errors.New("nla: attribute header cut short")
	// ErrLength: the length field is below the 4 bytes of the header.
	ErrLength = errors.New("nla: attribute length below its header")
	// ErrOverrun: the length field reaches past the end of the input.
	ErrOverrun = errors.New("nla: attribute length past the end of the input")
	// ErrSize: the payload does not have the size of the requested kind.
	ErrSize = errors.New("nla: payload has the wrong size for this kind")
	// ErrUnterminated: a C string has no NUL byte.
	ErrUnterminated = errors.New("nla: string payload lacks its NUL byte")
	// ErrRange: the value does not fit into the Go type.
	ErrRange = errors.New("nla: value out of range")
	// ErrTooLong: a nest is longer than MaxPayload, its mark is outside the buffer, or a stream
	// is longer than MaxStream.
	ErrTooLong = errors.New("nla: nest or stream too long, or mark outside the buffer")
)

// The negative results of Consume: codeTruncated, or the invalid length minus codeBase.
const (
	codeBase      = 1 << 16
	codeTruncated = -1 << 17
)

// ParseError returns the error that a negative result of Consume represents: ErrTruncated,
// ErrLength or ErrOverrun. It returns nil for n >= 0 and never allocates.
func ParseError(n int) error {
	switch {
	case n >= 0:
		return nil
	case n == codeTruncated:
		return ErrTruncated
	case n < HeaderLen-codeBase:
		return ErrLength
	}
	return ErrOverrun
}

// SyntaxError reports where a stream of attributes is malformed. The kernel treats such bytes as
// leftover: after a walk it ignores them unless the validation is strict (__nla_validate_parse in
// lib/nlattr.c).
type SyntaxError struct {
	Offset int   // of the malformed attribute's header, in bytes from the start of the input
	Err    error // ErrTruncated, ErrLength or ErrOverrun
}

// Error returns the reason and the offset.
func (e *SyntaxError) Error() string { return e.Err.Error() + " at offset " + strconv.Itoa(e.Offset) }

// Unwrap returns Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// syntaxError returns the *SyntaxError for the offset that is left bytes before the end of b. It keeps
// the allocation out of the loops that are inlined into their callers. If another goroutine has
// changed the bytes since, they may be valid now; the result is ErrLength then.
//
//go:noinline
func syntaxError(b []byte, left int) error {
	offset := len(b) - left
	_, n := Consume(b[offset:])
	err := ParseError(n)
	if err == nil {
		err = ErrLength
	}
	return &SyntaxError{offset, err}
}
