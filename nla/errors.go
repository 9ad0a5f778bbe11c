package nla

import (
	"errors"
	"strconv"
)

// What can be wrong with an attribute. All are static, so that reporting them
// allocates nothing.
var (
	// ErrTruncated: 1 to 3 bytes, or none, where a header of 4 should be.
	ErrTruncated = errors.New("nla: attribute header cut short")
	// ErrLength: the length field is below the header's own 4 bytes.
	ErrLength = errors.New("nla: attribute length below its header")
	// ErrOverrun: the length field reaches past the end of the input.
	ErrOverrun = errors.New("nla: attribute length past the end of the input")
	// ErrSize: the payload has not the size of the kind that was asked for.
	ErrSize = errors.New("nla: payload has the wrong size for this kind")
	// ErrUnterminated: a C string has no NUL byte.
	ErrUnterminated = errors.New("nla: string payload lacks its NUL byte")
	// ErrRange: the value does not fit into the Go type.
	ErrRange = errors.New("nla: value out of range")
	// ErrTooLong: a nest has more bytes than MaxPayload, or its mark is outside of the
	// buffer; or a stream is over MaxStream.
	ErrTooLong = errors.New("nla: too long for its length field, or a mark outside of the buffer")
)

// The negative results of Consume: codeTruncated, or the bad length less
// codeBase.
const (
	codeBase      = 1 << 16
	codeTruncated = -1 << 17
)

// ParseError returns the error that a negative result of Consume stands for:
// ErrTruncated, ErrLength or ErrOverrun. It returns nil for n >= 0 and never
// allocates.
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

// SyntaxError has the place where a stream of attributes is malformed. What
// the kernel calls leftover bytes is one: after a walk it ignores them unless
// the validation is strict (__nla_validate_parse in lib/nlattr.c).
type SyntaxError struct {
	Offset int   // of the bad attribute's header, in bytes from the start of the input
	Err    error // ErrTruncated, ErrLength or ErrOverrun
}

// Error returns the reason and the offset.
func (e *SyntaxError) Error() string { return e.Err.Error() + " at offset " + strconv.Itoa(e.Offset) }

// Unwrap returns Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// syntaxError returns the error of Consume for the last left bytes of b. It keeps the
// allocation out of the loops that are inlined into their callers. Bytes that
// another goroutine changes meanwhile may be valid by now; their length was not.
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
