package conn

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The kernel returns EINVAL from a receive when a dump ends while another goroutine sends.
func TestReceiveThatFailsForAPassingReasonIsTriedAgain(t *testing.T) {
	for _, passing := range []error{errno.EINVAL, errno.EINTR, errno.EAGAIN} {
		inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
			c := open(&fleet{reply: func(req nlmsg.Msg) []event {
				all := []event{{err: passing}, {err: fmt.Errorf("double: receive: %w", passing)}}
				return append(append(all, echo(req)...), event{err: passing})
			}})
			isAlive(t, c)
			r := c.Request(fakeType, nlmsg.FlagAck, []byte("text"))
			defer r.Release()
			if err := c.Batch(patiently(t), r); err != nil || said(r.Reply()) != "text" {
				t.Error(said(r.Reply()), err)
			}
		})
	}
}

// A receive that always fails ends the exchange.
func TestReceiveThatFailsForeverEndsTheExchange(t *testing.T) {
	c := New(&flood{double: &double{fake: newFake(nil), gone: make(chan struct{})}, event: event{err: errno.EINVAL}, at: func(int) {}})
	defer c.Close()
	_, err := asking(t.Context(), c, 0, "")
	isError(t, err, errno.EINVAL)
}

// The kernel has handled a request when the send returns, so that no reply can follow.
func TestRequestWithoutAReplyEnds(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(nlmsg.Msg) []event { return nil }})
		if m, err := asking(patiently(t), c, 0, ""); m != "" || err != nil {
			t.Errorf("%q, %v", m, err)
		}
		_, err := asking(patiently(t), c, nlmsg.FlagAck, "")
		isError(t, err, ErrUnanswered)
		_, err = listing(patiently(t), c, "")
		isError(t, err, ErrUnanswered)
		if s := c.Stats(); s != (Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestRefusalOfARequestWithoutAckIsItsError(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event { return events(answer(req, errno.EEXIST, "")) }})
		r := c.Request(fakeType, 0, nil)
		defer r.Release()
		_, err := c.Do(patiently(t), r)
		isError(t, err, errExist)
		var refused *Error
		if !errors.As(err, &refused) || refused.Seq != r.Sent() || r.Last().Type() != nlmsg.TypeError {
			t.Errorf("%+v, last %v", refused, r.Last())
		}
	})
}

// The kernel ignores messages without the flag.
func TestRequestFlagIsSetByEveryExchange(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			if req.Flags()&nlmsg.FlagRequest == 0 {
				return nil
			}
			return echo(req)
		}})
		isAlive(t, c)
		r := c.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		defer r.Release()
		if err := c.Batch(patiently(t), r); err != nil || said(r.Reply()) != "text" {
			t.Error(said(r.Reply()), err)
		}
	})
}

// conntrack replies this way.
func TestReplyOfSeveralPartsWithoutItsEndIsComplete(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			parts := events(message(req, nlmsg.FlagMulti, "part"), message(req, nlmsg.FlagMulti, "rest"))
			return append(parts, acknowledge(req)...)
		}})
		for _, flags := range []nlmsg.Flags{0, nlmsg.FlagAck} {
			r := c.Request(fakeType, flags, nil)
			if m, err := c.Do(patiently(t), r); said(m) != "part" || err != nil {
				t.Error(said(m), err)
			}
			if n := len(slices.Collect(r.Replies())); n != 2 {
				t.Errorf("%d replies", n)
			}
			if last := r.Last(); flags == 0 && said(last) != "rest" || flags != 0 && last.Type() != nlmsg.TypeError {
				t.Errorf("last: %v", last)
			}
			r.Release()
		}
		if texts, err := listing(patiently(t), c, ""); len(texts) != 2 || err != nil {
			t.Error(texts, err)
		}
	})
}

// nftables replies this way to a dump of its generation.
func TestDumpThatIsAnsweredAsARequestEnds(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			return append(events(message(req, 0, "only")), acknowledge(req)...)
		}})
		for _, flags := range []nlmsg.Flags{0, nlmsg.FlagAck} {
			r := c.Request(fakeType, flags, nil)
			var texts []string
			for m, err := range c.Dump(patiently(t), r) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, said(m))
			}
			if !slices.Equal(texts, []string{"only"}) {
				t.Errorf("flags %v: %q", flags, texts)
			}
			r.Release()
		}
	})
}

// NETLINK_AUDIT acknowledges a request for the list of rules, then sends the list from a
// thread.
func TestListThatFollowsItsAcknowledgementIsComplete(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		var fl *fleet
		fl = &fleet{reply: func(req nlmsg.Msg) []event {
			for _, d := range fl.doubles() {
				go d.put(events(message(req, nlmsg.FlagMulti, "rule"), message(req, nlmsg.FlagMulti, "last"), done(req, nlmsg.FlagMulti, 0))...)
			}
			return events(answer(req, 0, ""))
		}}
		c := open(fl, WithLateReplies())
		r := c.Request(fakeType, nlmsg.FlagAck, nil)
		defer r.Release()
		for range 3 {
			var texts []string
			for m, err := range c.Dump(patiently(t), r) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, said(m))
			}
			if !slices.Equal(texts, []string{"rule", "last"}) || r.Last().Type() != nlmsg.TypeDone {
				t.Errorf("%q, last %v", texts, r.Last())
			}
		}
	})
}

// thermal is a fake of drivers/thermal. Only the Done of its dumps has a sequence number and a
// port ID.
func thermal(req nlmsg.Msg) []event {
	if req.Flags()&nlmsg.FlagDump != nlmsg.FlagDump {
		return echo(req)
	}
	var all []event
	for _, zone := range []string{"cpu", "gpu"} {
		b := nlmsg.Begin(nil, req.Type(), 0, 0, 0)
		all = append(all, event{b: nlmsg.End(append(b, zone...), 0)})
	}
	return append(all, event{b: done(req, nlmsg.FlagMulti, 0)})
}

func TestListWithoutSequenceNumbersIsTheDumps(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: thermal})
		if texts, err := listing(patiently(t), c, ""); !slices.Equal(texts, []string{"cpu", "gpu"}) || err != nil {
			t.Error(texts, err)
		}
		if s := c.Stats(); s != (Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

// A message without a sequence number does not belong to the dump if it has another type, or
// came from a group or another process.
func TestMessagesWithoutSequenceNumberAreOnlyTheDumpsIfTheyCanBe(t *testing.T) {
	stray := nlmsg.End(nlmsg.Begin(nil, fakeType, 0, 0, 0), 0)
	other := nlmsg.End(nlmsg.Begin(nil, fakeType+1, 0, 0, 0), 0)
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			return append([]event{
				{b: other}, {b: stray, info: socket.Info{Groups: 1}}, {b: stray, info: socket.Info{PortID: 3}},
			}, echo(req)...)
		}})
		if texts, err := listing(patiently(t), c, "mine"); !slices.Equal(texts, []string{"mine"}) || err != nil {
			t.Error(texts, err)
		}
		if s := c.Stats(); s != (Stats{Stale: 1, Notifications: 1, Foreign: 1}) {
			t.Errorf("%+v", s)
		}
	})
	// It never belongs to a request either.
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event { return append([]event{{b: stray}}, echo(req)...) }})
		if got, err := asking(patiently(t), c, 0, "mine"); got != "mine" || err != nil {
			t.Error(got, err)
		}
	})
}

// rtnetlink and nfnetlink ignore requests that are shorter than their fixed header.
func TestRequestWithoutItsFixedHeaderEnds(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			if len(req.Payload()) < nla.HeaderLen {
				return acknowledge(req)
			}
			return echo(req)
		}})
		if got, err := asking(patiently(t), c, 0, ""); got != "" || err != nil {
			t.Error(got, err)
		}
		if got, err := asking(patiently(t), c, nlmsg.FlagAck, ""); got != "" || err != nil {
			t.Error(got, err)
		}
		_, err := listing(patiently(t), c, "")
		isError(t, err, ErrUnanswered)
		if got, err := listing(patiently(t), c, "four"); len(got) != 1 || err != nil {
			t.Error(got, err)
		}
	})
}
