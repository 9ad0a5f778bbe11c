package conn

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func TestPinHasOneTransportForAllExchanges(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: manyParts(5, 10)}
		c := fl.pool(t, WithIdle(1, time.Second))
		p, err := c.Pin()
		if err != nil {
			t.Fatal(err)
		}
		own := p.Transport().(*double)
		if own == fl.all[0] {
			t.Error("it has the Transport of the Conn")
		}
		r := p.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		list := c.Request(fakeType, 0, nil) // of the Conn
		n := 0
		for _, err := range p.Dump(patiently(t), list) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Do(patiently(t), r); err != nil || said(r.Reply()) != "text" {
				t.Error(said(r.Reply()), err)
			}
			if err := p.Batch(patiently(t), r); err != nil || said(r.Reply()) != "text" {
				t.Error(said(r.Reply()), err)
			}
			n++
		}
		if n != 5 || own.requests() != 11 || fl.all[0].requests() != 0 {
			t.Errorf("%d messages, %d datagrams on its own, %d on the other", n, own.requests(), fl.all[0].requests())
		}
		if err := p.Send(r.B); err != nil || own.requests() != 12 {
			t.Error(err)
		}
		if _, err := asking(patiently(t), c, 0, "text"); err != nil {
			t.Error(err)
		}
		if own.requests() != 12 {
			t.Error("the Conn has used the Transport of the Pin")
		}
		<-time.After(time.Hour)
		if own.isClosed() {
			t.Error("closed while idle")
		}
		if err := p.Close(); err != nil || !own.isClosed() {
			t.Error(err, own.isClosed())
		}
		_, err = p.Do(t.Context(), r)
		isError(t, err, ErrClosed)
		if _, err := asking(patiently(t), c, 0, "text"); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseOfTheConnClosesItsPins(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: func(nlmsg.Msg) []event { return nil }}
		c := fl.pool(t, WithLateReplies())
		p, err := c.Pin()
		if err != nil {
			t.Fatal(err)
		}
		r := c.Request(fakeType, 0, nil)
		waiting := inBackground(func() error { _, err := p.Do(t.Context(), r); return err })
		synctest.Wait()
		if err := c.Close(); err != nil || countClosed(fl) != 2 {
			t.Error(err, countClosed(fl))
		}
		isError(t, <-waiting, ErrClosedWaiting)
		_, err = p.Do(t.Context(), r)
		isError(t, err, ErrClosed)
		isError(t, p.Close(), ErrClosed)
	})
}

func TestPinOfASingleTransportIsThatOne(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: manyParts(5, 10)}
		c := fl.single(t)
		p, err := c.Pin()
		if err != nil {
			t.Fatal(err)
		}
		if p.Transport() != Transport(fl.all[0]) {
			t.Error("it has another Transport")
		}
		r := p.Request(fakeType, 0, []byte("text"))
		if _, err := p.Do(patiently(t), r); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if got, err := asking(patiently(t), c, 0, "text"); got != "text" || err != nil {
			t.Error(got, err)
		}
	})
}

func TestPinAndSubscriptionReportTheErrorOfTheDialer(t *testing.T) {
	fl := &fleet{reply: echo}
	c := fl.pool(t)
	fl.fail(errno.EMFILE)
	_, err := c.Pin()
	isError(t, err, errno.EMFILE)
	_, err = c.Subscribe(1)
	isError(t, err, errno.EMFILE)
	_, err = fl.single(t).Subscribe(1)
	isError(t, err, ErrNoDialer)
	isAlive(t, c)
}

func TestDeviceEventsAreRefusedWithAHint(t *testing.T) {
	fl := &fleet{reply: echo, prepare: func(_ int, d *double) { d.protocol = socket.KObjectUevent }}
	_, err := fl.pool(t).Subscribe(1)
	isError(t, err, errors.ErrUnsupported)
	if !strings.Contains(err.Error(), "socket.Socket") || len(fl.doubles()) != 1 {
		t.Error(err)
	}
}

func TestReplyToASendOfASubscriptionIsDelivered(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, _ := subscribe(t, (&fleet{reply: echo}).pool(t))
		b := nlmsg.Begin(nil, fakeType, nlmsg.FlagRequest, 77, 0)
		if err := s.Send(nlmsg.End(append(b, "text"...), 0)); err != nil {
			t.Fatal(err)
		}
		for m, err := range s.All(patiently(t)) {
			if said(m) != "text" || m.Seq() != 77 || err != nil {
				t.Error(m, err)
			}
			break
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, err := range s.All(patiently(t)) {
			isError(t, err, os.ErrClosed)
		}
	})
}
