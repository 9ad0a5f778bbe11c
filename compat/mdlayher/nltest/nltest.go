// Package nltest provides a [netlink.Conn] for tests without a kernel. A function answers its requests.
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

// PID is the port ID of the Conn that Dial returns.
const PID = 1

// A Func returns the answer to the requests of one send. If a Conn receives and no answer is left, Func
// is called without requests, and its result is like a notification.
//
// An error of Func is returned by the receive. An errno becomes an *os.SyscallError. If Func returns
// no message and [io.EOF], the receive returns no message and no error.
type Func func(req []netlink.Message) ([]netlink.Message, error)

// Dial returns a Conn with answers from fn.
func Dial(fn Func) *netlink.Conn { return netlink.NewConn(&socket{fn: fn}, PID) }

// CheckRequest returns a Func that checks the requests and then calls fn. Request i must have types[i]
// and flags[i], where 0 matches any value. Otherwise the Func returns an error. The numbers of types,
// flags and requests must be equal: otherwise CheckRequest or the Func panics.
func CheckRequest(types []netlink.HeaderType, flags []netlink.HeaderFlags, fn Func) Func {
	if len(types) != len(flags) {
		panic(fmt.Sprintf("nltest: CheckRequest called with %d types and %d flags", len(types), len(flags)))
	}
	return func(req []netlink.Message) ([]netlink.Message, error) {
		if len(types) != len(req) {
			panic(fmt.Sprintf("nltest: CheckRequest called with %d types, received %d requests", len(types), len(req)))
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

// Multipart turns msgs into a multipart answer. The last message becomes its Done. Fewer than two
// messages are returned unchanged.
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

// Error returns an error message with an errno. It answers the first request and repeats its payload.
func Error(number int, reqs []netlink.Message) ([]netlink.Message, error) {
	m := reqs[0]
	m.Header.Type = netlink.Error
	m.Header.Length += 4
	m.Data = append(nlenc.Int32Bytes(int32(-number)), m.Data...)
	return []netlink.Message{m}, nil
}

// MustMarshalAttributes is like [netlink.MarshalAttributes], but panics on an error.
func MustMarshalAttributes(attrs []netlink.Attribute) []byte {
	b, err := netlink.MarshalAttributes(attrs)
	if err != nil {
		panic("nltest: " + err.Error())
	}
	return b
}

// A socket implements netlink.Socket for Dial.
type socket struct {
	fn   Func
	msgs []netlink.Message // remaining messages of the answer
	err  error             // error at the end of the answer
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

// ReceiveIter iterates over the messages of a datagram.
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

// datagram returns the next datagram of the answer. Without an answer it calls fn.
func (s *socket) datagram() (msgs []netlink.Message, err error) {
	switch {
	case len(s.msgs) == 0 && s.err == nil:
		if msgs, err = s.fn(nil); errors.Is(err, io.EOF) {
			return nil, nil
		}
		return msgs, err
	case len(s.msgs) == 0 && errors.Is(s.err, io.EOF):
		return nil, nil // s.err remains: later calls return the same
	case len(s.msgs) == 0:
		err, s.err = s.err, nil
		if isErrno(err) {
			err = os.NewSyscallError("recvmsg", err)
		}
		return nil, err
	case isMultipart(s.msgs):
		// Two datagrams, because the kernel also splits multipart answers.
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
