// Package nltest makes a [netlink.Conn] that a function answers, for tests without a
// kernel.
package nltest

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
)

// PID is the port ID of a Conn of Dial.
const PID = 1

// A Func answers requests: those of one send. It is called without any when a Conn
// receives and no answer is left, as for a notification.
//
// Its error is that of the receive, an errno as an *os.SyscallError. With [io.EOF] and no
// message the receive returns neither.
type Func func(req []netlink.Message) ([]netlink.Message, error)

// Dial returns a Conn that fn answers.
func Dial(fn Func) *netlink.Conn { return netlink.NewConn(&socket{fn: fn}, PID) }

// CheckRequest returns a Func that compares the types and the flags of the requests with
// those at the same index, calls fn if they are equal, and otherwise returns an error. 0 is
// not compared. It panics if the numbers of types, flags and requests differ.
func CheckRequest(types []netlink.HeaderType, flags []netlink.HeaderFlags, fn Func) Func {
	if len(types) != len(flags) {
		panic(fmt.Sprintf("nltest: CheckRequest has %d types and %d flags", len(types), len(flags)))
	}
	return func(req []netlink.Message) ([]netlink.Message, error) {
		if len(types) != len(req) {
			panic(fmt.Sprintf("nltest: CheckRequest has %d types, and there are %d requests", len(types), len(req)))
		}
		for i := range req {
			h := &req[i].Header
			if types[i] != 0 && h.Type != types[i] {
				return nil, fmt.Errorf("nltest: unexpected netlink header type: %s, want: %s", h.Type, types[i])
			}
			if flags[i] != 0 && h.Flags != flags[i] {
				return nil, fmt.Errorf("nltest: unexpected netlink header flags: %s, want: %s", h.Flags, flags[i])
			}
		}
		return fn(req)
	}
}

// Multipart makes msgs a multipart answer, of which the last message is the end. Fewer than
// two messages stay as they are.
func Multipart(msgs []netlink.Message) ([]netlink.Message, error) {
	if len(msgs) < 2 {
		return msgs, nil
	}
	for i := range msgs {
		msgs[i].Header.Flags |= netlink.Multi
	}
	msgs[len(msgs)-1].Header.Type = netlink.Done
	return msgs, nil
}

// Error returns an answer to the first request, whose payload it repeats, with an errno.
func Error(number int, reqs []netlink.Message) ([]netlink.Message, error) {
	m := reqs[0]
	m.Header.Type = netlink.Error
	m.Header.Length += 4
	m.Data = append(nlenc.Int32Bytes(int32(-number)), m.Data...)
	return []netlink.Message{m}, nil
}

// MustMarshalAttributes is [netlink.MarshalAttributes] that panics on an error.
func MustMarshalAttributes(attrs []netlink.Attribute) []byte {
	b, err := netlink.MarshalAttributes(attrs)
	if err != nil {
		panic("nltest: " + err.Error())
	}
	return b
}

// A socket is the netlink.Socket of Dial.
type socket struct {
	fn   Func
	msgs []netlink.Message // the rest of the answer
	err  error             // that the answer ends with
}

func (*socket) Close() error { return nil }

func (s *socket) Send(m netlink.Message) error {
	s.msgs, s.err = s.fn([]netlink.Message{m})
	return nil
}

func (s *socket) SendMessages(msgs []netlink.Message) error {
	answer, err := s.fn(msgs)
	s.msgs, s.err = append(s.msgs, answer...), err
	return nil
}

func (s *socket) Receive() (msgs []netlink.Message, err error) {
	for m, err := range s.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		msgs = append(msgs, m)
	}
	return msgs, nil
}

// ReceiveIter ranges over a datagram.
func (s *socket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		msgs, err := s.datagram()
		if err != nil {
			yield(netlink.Message{}, err)
			return
		}
		for _, m := range msgs {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// datagram returns a datagram of the answer, and calls fn if there is none.
func (s *socket) datagram() (msgs []netlink.Message, err error) {
	switch {
	case len(s.msgs) == 0 && s.err == nil:
		if msgs, err = s.fn(nil); errors.Is(err, io.EOF) {
			return nil, nil
		}
		return msgs, err
	case len(s.msgs) == 0 && errors.Is(s.err, io.EOF):
		return nil, nil // and again
	case len(s.msgs) == 0:
		err, s.err = s.err, nil
		if isErrno(err) {
			err = os.NewSyscallError("recvmsg", err)
		}
		return nil, err
	case isMultipart(s.msgs):
		// In two datagrams, as the kernel has several.
		half := (len(s.msgs) + 1) / 2
		msgs, s.msgs = s.msgs[:half], s.msgs[half:]
		return msgs, nil
	}
	msgs, err = s.msgs, s.err
	s.msgs, s.err = nil, nil
	return msgs, err
}

func isMultipart(msgs []netlink.Message) bool {
	for _, m := range msgs {
		if m.Header.Flags&netlink.Multi != 0 && m.Header.Type != netlink.Done {
			return true
		}
	}
	return false
}
