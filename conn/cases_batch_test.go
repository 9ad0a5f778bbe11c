package conn

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// makeBatch makes n requests with different texts.
func makeBatch(t testing.TB, c *Conn, n int, flags nlmsg.Flags) []*Request {
	t.Helper()
	batch := make([]*Request, n)
	for i := range batch {
		batch[i] = c.Request(fakeType, flags, fmt.Appendf(nil, "%04d", i))
	}
	t.Cleanup(func() {
		for _, r := range batch {
			r.Release()
		}
	})
	return batch
}

// isAnswered checks that each request of a batch has its own reply.
func isAnswered(t testing.TB, batch []*Request) {
	t.Helper()
	for i, r := range batch {
		if got, want := said(r.Reply()), fmt.Sprintf("%04d", i); got != want || r.Err() != nil {
			t.Fatalf("request %d: %q, %v", i, got, r.Err())
		}
	}
}

func TestEmptyBatchSendsNothing(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		fl := &fleet{reply: echo}
		c := open(fl)
		if err := c.Batch(patiently(t)); err != nil {
			t.Error(err)
		}
		if n := fl.all[0].requests(); n != 0 {
			t.Errorf("%d datagrams sent", n)
		}
		isAlive(t, c)
	})
}

// A batch without FlagAck waits for no reply, but receives those that are queued.
func TestBatchWithoutAckReturnsAtOnce(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		for _, n := range []int{1, 2, 20} {
			fl := &fleet{reply: func(nlmsg.Msg) []event { return nil }}
			c := open(fl)
			if err := c.Batch(patiently(t), makeBatch(t, c, n, 0)...); err != nil {
				t.Error(n, err)
			}
			if sent := fl.all[0].requests(); sent != 1 {
				t.Errorf("%d requests: %d datagrams", n, sent)
			}
			c.Close()
		}
		c := open(&fleet{reply: echo})
		batch := makeBatch(t, c, 3, 0)
		if err := c.Batch(patiently(t), batch...); err != nil {
			t.Error(err)
		}
		isAnswered(t, batch)
	})
}

func TestErrorsOfRequestsWithoutAckAreReported(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			if said(req) == "0001" {
				return events(answer(req, errno.EEXIST, "there is one"))
			}
			return acknowledge(req)
		}})
		for _, ackOfLast := range []nlmsg.Flags{0, nlmsg.FlagAck} {
			batch := makeBatch(t, c, 3, 0)
			batch[2].msg().SetFlags(ackOfLast)
			isError(t, c.Batch(patiently(t), batch...), errExist)
			isError(t, batch[1].Err(), errExist)
			if batch[0].Err() != nil || batch[2].Err() != nil {
				t.Error(batch[0].Err(), batch[2].Err())
			}
		}
	})
}

func TestSameRequestTwiceInABatchIsRefused(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		fl := &fleet{reply: echo}
		c := open(fl)
		batch := makeBatch(t, c, 2, nlmsg.FlagAck)
		isError(t, c.Batch(patiently(t), batch[0], batch[1], batch[0]), ErrRequest)
		if n := fl.all[0].requests(); n != 0 {
			t.Errorf("%d datagrams sent", n)
		}
		if err := c.Batch(patiently(t), batch...); err != nil { // they can be used again
			t.Error(err)
		}
		isAnswered(t, batch)
	})
}

// narrow is a Transport for datagrams up to a size, which may grow.
type narrow struct {
	*double
	most int
	grow bool
	sent []int
}

func (n *narrow) Send(b []byte) error {
	if len(b) > n.most {
		return fmt.Errorf("narrow: %w", errno.EMSGSIZE)
	}
	n.sent = append(n.sent, len(b))
	return n.double.Send(b)
}

func (n *narrow) SetSendBuffer(bytes int) error {
	if n.grow {
		n.most = bytes
	}
	return nil
}

func (n *narrow) openNarrow(t *testing.T) *Conn {
	t.Helper()
	c := New(n)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestBatchGrowsTheSendBuffer(t *testing.T) {
	n := &narrow{double: (&fleet{reply: echo}).open(), most: 1000, grow: true}
	c := n.openNarrow(t)
	batch := makeBatch(t, c, 1000, nlmsg.FlagAck)
	if err := c.Batch(patiently(t), batch...); err != nil {
		t.Fatal(err)
	}
	isAnswered(t, batch)
	if len(n.sent) != 1 || n.sent[0] != 20000 {
		t.Errorf("datagrams of %d", n.sent)
	}
}

func TestBatchThatDoesNotFitIsSplit(t *testing.T) {
	n := &narrow{double: (&fleet{reply: echo}).open(), most: 1000}
	c := n.openNarrow(t)
	batch := makeBatch(t, c, 1000, nlmsg.FlagAck)
	if err := c.Batch(patiently(t), batch...); err != nil {
		t.Fatal(err)
	}
	isAnswered(t, batch)
	sum := 0
	for _, size := range n.sent {
		sum += size
	}
	if sum != 20000 || len(n.sent) > 100 {
		t.Errorf("datagrams of %d", n.sent)
	}
}

// The parts of a split batch are separate exchanges.
func TestSplitBatchOfIgnoredRequestsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fl := &fleet{reply: func(nlmsg.Msg) []event { return nil }}
		n := &narrow{double: fl.open(), most: 30}
		c := n.openNarrow(t)
		batch := makeBatch(t, c, 3, nlmsg.FlagAck)
		isError(t, c.Batch(patiently(t), batch...), ErrUnanswered)
		for _, r := range batch {
			isError(t, r.Err(), ErrUnanswered)
		}
	})
}

// A request that is too large for the send buffer is not sent. The requests before it are.
func TestRequestThatIsTooLargeForTheSendBufferFailsByItself(t *testing.T) {
	n := &narrow{double: (&fleet{reply: echo}).open(), most: 100}
	c := n.openNarrow(t)
	batch := makeBatch(t, c, 2, nlmsg.FlagAck)
	batch[1].B = append(batch[1].B, make([]byte, 100)...)
	isError(t, c.Batch(patiently(t), batch...), ErrBatchSize)
	isAnswered(t, batch[:1])
	isError(t, batch[1].Err(), ErrBatchSize)
	isError(t, batch[1].Err(), errno.EMSGSIZE)
	_, err := c.Do(patiently(t), batch[1])
	isError(t, err, errno.EMSGSIZE)
	isAlive(t, c)
}

// nfnetlink combines the messages between the beginning and the end of a batch into a
// transaction: the batch must not be split.
func TestTransactionThatDoesNotFitIsNotSent(t *testing.T) {
	d := (&fleet{reply: echo}).open()
	d.protocol = socket.Netfilter
	n := &narrow{double: d, most: 1000}
	c := n.openNarrow(t)
	batch := makeBatch(t, c, 1000, nlmsg.FlagAck)
	const begin, end = 0x10, 0x11 // NFNL_MSG_BATCH_BEGIN, _END
	first, last := c.Request(begin, 0, []byte{0, 0, 0, 10}), c.Request(end, 0, []byte{0, 0, 0, 10})
	defer first.Release()
	defer last.Release()
	whole := append(append([]*Request{first}, batch...), last)
	isError(t, c.Batch(patiently(t), whole...), ErrBatchSize)
	for _, r := range whole {
		isError(t, r.Err(), ErrBatchSize)
	}
	if len(n.sent) != 0 {
		t.Errorf("datagrams of %d", n.sent)
	}
	n.most = 1 << 20
	if err := c.Batch(patiently(t), whole...); err != nil || len(n.sent) != 1 {
		t.Error(err, n.sent)
	}
}

func TestErrorOfTheSendIsThatOfAllRequestsOfABatch(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		for _, flags := range []nlmsg.Flags{0, nlmsg.FlagAck} {
			c := open(&fleet{reply: echo, prepare: func(_ int, d *double) { d.sendErr = errno.ECONNREFUSED }})
			batch := makeBatch(t, c, 2, flags)
			isError(t, c.Batch(patiently(t), batch...), errno.ECONNREFUSED)
			for _, r := range batch {
				isError(t, r.Err(), errno.ECONNREFUSED)
			}
		}
	})
}

// The first receive has room for messages of any size that families send.
func TestLargestReplyOfABatchIsReceivedWhole(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			return append(events(message(req, 0, string(make([]byte, 66<<10)))), acknowledge(req)...)
		}})
		batch := makeBatch(t, c, 16, nlmsg.FlagAck)
		if err := c.Batch(patiently(t), batch...); err != nil {
			t.Fatal(err)
		}
		for _, r := range batch {
			if n := len(r.Reply()); n != 66<<10+nlmsg.HeaderLen {
				t.Errorf("%d bytes", n)
			}
		}
		m, err := c.Do(patiently(t), batch[0])
		if len(m) != 66<<10+nlmsg.HeaderLen || err != nil {
			t.Errorf("%d bytes, %v", len(m), err)
		}
	})
}

// If a request of a batch is refused before sending, none is sent, and each of the others
// has an error that says so.
func TestRequestsOfABatchThatWasNotSentHaveAnError(t *testing.T) {
	c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event { return events(answer(reqs[0], 0, "")) })
	first := c.Request(fakeType, nlmsg.FlagAck, nil)
	isError(t, c.Batch(patiently(t), first, &Request{}), ErrRequest)
	isError(t, first.Err(), ErrRequest)
	if n := f.requests(); n != 0 {
		t.Errorf("%d datagrams sent", n)
	}
	if _, err := c.Do(patiently(t), first); err != nil {
		t.Error(err)
	}
}
