package netlink

import "iter"

// Execute sends a message, receives what answers it, and validates that.
//
// The replies of a multipart answer are returned without its Done. An acknowledgement is
// returned if it is all of the answer, and otherwise left out. Notifications, and replies
// to what Send has sent, are kept for Receive. An error that the kernel reports is an
// *OpError.
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

// answer receives what answers a message that was sent.
func (c *Conn) answer(m *Message) (replies []Message, err error) {
	if c.own != nil {
		replies, err = c.own.answer(m)
	} else {
		replies, err = c.collect()
	}
	return replies, c.report(replies, err)
}

// Receive waits for a datagram and returns its messages, or, if it is part of a multipart
// answer, all of that without its Done. An error that the kernel reports is an *OpError.
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

// report writes what was received to the debugger. It returns err.
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

// ReceiveIter ranges over what Receive would return, with one datagram at a time in
// memory. If the loop is left early, the rest of a multipart answer is received and
// discarded.
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

// collect is Receive for any Socket. What came before an error is returned too.
func (c *Conn) collect() (msgs []Message, err error) {
	err = c.each(func(m Message) bool {
		msgs = append(msgs, m)
		return true
	})
	return msgs, err
}

// each calls yield with the messages that Receive would return, until it returns false. The
// error is then errStopped.
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
