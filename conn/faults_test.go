package conn

import (
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
)

// EINTR, EAGAIN and ENOBUFS at every receive there is: what arrives besides is
// whole, so nothing is lost.
func TestErrorsAtEveryReceive(t *testing.T) {
	for _, fault := range []error{syscall.EINTR, syscall.EAGAIN, syscall.ENOBUFS} {
		for at := 0; at <= 51; at++ {
			inject := func(list []event) []event {
				i := min(at, len(list)-1)
				return append(append(append([]event(nil), list[:i]...), event{err: fault}), list[i:]...)
			}
			answers := func(_ *fake, reqs []nlmsg.Msg) []event {
				r := reqs[0]
				switch {
				case r.Flags()&nlmsg.Dump == nlmsg.Dump:
					return inject(long(r))
				case len(reqs) > 1:
					return inject(events(answer(reqs[0], 0, ""), answer(reqs[1], 0, ""), answer(reqs[2], 0, "")))
				}
				return inject(events(message(r, 0, "abcd"), message(r, 0, "b"), answer(r, 0, "")))
			}
			twice(t, func() func(*fake, []nlmsg.Msg) []event { return answers }, func(t *testing.T, c *Conn) {
				if got, err := ask(t, c, nlmsg.Ack, ""); got != "abcd" || err != nil {
					t.Errorf("%v at %d: %q, %v", fault, at, got, err)
				}
				if got, err := collect(t, c); len(got) != 100 || err != nil {
					t.Errorf("%v at %d: %d messages, %v", fault, at, len(got), err)
				}
				batch := []*Request{c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil)}
				if err := c.Batch(t.Context(), batch...); err != nil {
					t.Errorf("%v at %d: batch: %v", fault, at, err)
				}
			})
		}
	}
}
