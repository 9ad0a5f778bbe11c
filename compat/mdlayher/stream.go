package netlink

import "errors"

// errStopped ends a receive whose loop was left. It is not returned to callers.
var errStopped = errors.New("stopped")

// A stream is the state of a receive: whether more datagrams belong to it.
type stream struct {
	isMulti   bool // a message was part of a multipart answer
	isOver    bool // its end has come
	isStopped bool // the caller wants no more
}

// take hands over a message, unless it reports an error or is the end. After the caller has
// stopped, a multipart answer goes on until its end.
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

// end returns the error of the receive: what happens after the caller has stopped is not
// reported.
func (s *stream) end(err error) error {
	if s.isStopped {
		return errStopped
	}
	return err
}
