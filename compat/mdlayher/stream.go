package netlink

import "errors"

// errStopped is the internal result of a receive after the caller left the loop.
var errStopped = errors.New("stopped")

// A stream is the state of a receive. It decides whether more datagrams belong to the answer.
type stream struct {
	isMulti   bool // a message was part of a multipart answer
	isOver    bool // the end has arrived
	isStopped bool // the caller has left the loop
}

// take passes a message to yield, unless the message reports an error or is the end. After the caller
// has left the loop, a multipart answer is received until its end.
func (s *stream) take(m Message, yield func(Message) bool) error {
	if err := checkMessage(m); err != nil {
		return err
	}
	if m.isEnd() {
		s.isOver = true
		return nil
	}
	if m.Header.Flags&Multi != 0 {
		s.isMulti = true
	}
	if !s.isStopped && !yield(m) {
		s.isStopped = true
	}
	s.isOver = s.isStopped && !s.isMulti
	return nil
}

// end returns the error of the receive. Errors after the caller has left the loop are dropped.
func (s *stream) end(err error) error {
	if s.isStopped {
		return errStopped
	}
	return err
}
