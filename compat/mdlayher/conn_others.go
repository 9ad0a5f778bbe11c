//go:build !linux

package netlink

import (
	"fmt"
	"iter"
	"runtime"
)

// errUnimplemented is the error of all operations that require netlink in the kernel.
var errUnimplemented = fmt.Errorf("netlink: not implemented on %s/%s", runtime.GOOS, runtime.GOARCH)

// A conn replaces the socket on systems without netlink.
type conn struct{}

func dial(_ int, _ *Config) (*conn, uint32, error) { return nil, 0, errUnimplemented }
func newError(_ int) error                         { return errUnimplemented }

func (*conn) Close() error                        { return errUnimplemented }
func (*conn) Send(Message) error                  { return errUnimplemented }
func (*conn) SendMessages([]Message) error        { return errUnimplemented }
func (*conn) Receive() ([]Message, error)         { return nil, errUnimplemented }
func (*conn) execute(*Message) ([]Message, error) { return nil, errUnimplemented }
func (*conn) answer(*Message) ([]Message, error)  { return nil, errUnimplemented }
func (*conn) receive() ([]Message, error)         { return nil, errUnimplemented }
func (*conn) each(func(Message) bool) error       { return errUnimplemented }
func (*conn) ReceiveIter() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) { yield(Message{}, errUnimplemented) }
}

// isTerminal reports whether a file descriptor is a terminal, for the colors of NLDEBUG.
func isTerminal(uintptr) bool { return false }
