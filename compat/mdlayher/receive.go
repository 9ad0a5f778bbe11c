package netlink

import "iter"

// Execute sends a message and returns its replies after [Validate].
//
// The Done of a multipart answer is left out. An acknowledgement is returned only if the answer
// contains nothing else. Notifications and replies to messages of Send are kept for Receive. An error
// message of the kernel is returned as an *OpError.
func (c *Conn) Execute(m Message) ([]Message, error) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	c.exchanging.Lock()
	defer c.exchanging.Unlock()
	var replies []Message
	if c.own != nil && c.d == nil {
		c.complete(&m)
		var err error
		if replies, err = c.own.execute(&m); err != nil {
			return nil, err
		}
	} else {
		var err error
		if m, err = c.send(m); err != nil {
			return nil, err
		}
		if replies, err = c.answer(&m); err != nil {
			return nil, err
		}
	}
	if err := Validate(m, replies); err != nil {
		return nil, err
	}
	return replies, nil
}

// answer receives the answer to a sent message.
func (c *Conn) answer(m *Message) (replies []Message, err error) {
	if c.own != nil {
		replies, err = c.own.answer(m)
	} else {
		replies, err = c.collect()
	}
	return replies, c.report(replies, err)
}

// Receive waits for a datagram and returns its messages. If they belong to a multipart answer, Receive
// returns the complete answer without its Done. An error message of the kernel is returned as an
// *OpError.
func (c *Conn) Receive() ([]Message, error) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	var msgs []Message
	var err error
	if c.own != nil {
		msgs, err = c.own.receive()
	} else {
		msgs, err = c.collect()
	}
	if c.d != nil {
		_ = c.report(msgs, err)
	}
	if err != nil {
		return nil, err
	}
	return msgs, nil
}

// report writes received messages and the error to the debugger. It returns err.
func (c *Conn) report(msgs []Message, err error) error {
	if c.d == nil {
		return err
	}
	for _, m := range msgs {
		c.d.message("recv", m)
	}
	if err != nil {
		c.d.error("recv", err)
	}
	return err
}

// ReceiveIter iterates over the messages that Receive would return. It keeps one datagram at a time in
// memory. If the loop ends early, the remaining multipart answer is received and discarded.
func (c *Conn) ReceiveIter() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		c.receiving.Lock()
		defer c.receiving.Unlock()
		each := c.each
		if c.own != nil {
			each = c.own.each
		}
		err := each(func(m Message) bool {
			c.d.message("recv", m)
			return yield(m, nil)
		})
		switch {
		case err == errStopped:
		case err != nil:
			c.d.error("recv", err)
			yield(Message{}, err)
		}
	}
}

// collect implements Receive for any Socket. It also returns the messages before an error.
func (c *Conn) collect() (msgs []Message, err error) {
	err = c.each(func(m Message) bool {
		msgs = append(msgs, m)
		return true
	})
	return msgs, err
}

// each calls yield with each message that Receive would return. If yield returns false, the error is
// errStopped.
func (c *Conn) each(yield func(Message) bool) error {
	var s stream
	for {
		for m, err := range c.sock.ReceiveIter() {
			if err != nil {
				return s.end(newOpError("receive", err))
			}
			if err := s.take(m, yield); err != nil || s.isOver {
				return s.end(err)
			}
		}
		if !s.isMulti {
			return s.end(nil)
		}
	}
}
