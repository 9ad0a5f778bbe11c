package conn

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The exchange that reads a message passes it to the hook.
func TestUnmatchedMessagesOfATakeOverGoToTheHook(t *testing.T) {
	for name, leave := range map[string]bool{"loop left": true, "loop to the end": false} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				fl := &fleet{reply: between(manyParts(3, 10), func() event { return notify("stray") })}
				n := 0
				c := fl.single(t, WithUnmatched(func(m nlmsg.Msg, _ socket.Info) {
					if said(m) != "stray" {
						t.Error(said(m))
					}
					n++
				}))
				r := c.Request(fakeType, 0, nil)
				for _, err := range c.Dump(patiently(t), r) {
					if err != nil {
						t.Fatal(err)
					}
					if _, err := asking(patiently(t), c, 0, "text"); err != nil {
						t.Error(err)
					}
					if leave {
						break
					}
				}
				want := 5 + 2 - 1 // the last one remains in the queue
				if !leave {
					want += 2 * 2
				}
				if n != want {
					t.Errorf("%d messages, want %d", n, want)
				}
			})
		})
	}
}

// The loop is left while another exchange reads the rest.
func TestUnmatchedMessagesOfATakeOverThatGoesOnAfterTheLoopGoToTheHook(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var list nlmsg.Msg
		fl := &fleet{}
		fl.reply = func(req nlmsg.Msg) []event {
			if req.Flags()&nlmsg.FlagDump == 0 {
				return echo(req)
			}
			list = req
			return events(message(req, nlmsg.FlagMulti, "one"))
		}
		var got []string
		c := fl.single(t, WithLateReplies(), WithUnmatched(func(m nlmsg.Msg, _ socket.Info) { got = append(got, said(m)) }))
		r := c.Request(fakeType, 0, nil)
		var asked <-chan error
		for range c.Dump(patiently(t), r) {
			asked = inBackground(func() error { _, err := asking(patiently(t), c, 0, "text"); return err })
			synctest.Wait()
			fl.all[0].put(notify("stray"))
			synctest.Wait()
			break
		}
		fl.all[0].put(event{b: done(list, nlmsg.FlagMulti, 0)})
		if err := <-asked; err != nil || !slices.Equal(got, []string{"stray"}) {
			t.Error(err, got)
		}
	})
}

func TestWholeMessagesOfATruncatedDatagramOfADumpAreDelivered(t *testing.T) {
	for name, takeOver := range map[string]bool{"by the loop": false, "by a take-over": true} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				fl := &fleet{reply: func(req nlmsg.Msg) []event {
					if req.Flags()&nlmsg.FlagDump != nlmsg.FlagDump {
						return echo(req)
					}
					part := func(s string) []byte { return message(req, nlmsg.FlagMulti, s) }
					return events(part("one"), join(part("two"), part("three"), part(strings.Repeat("x", 400))), part("four"), done(req, nlmsg.FlagMulti, 0))
				}}
				c := fl.single(t, WithBuffer(256))
				r := c.Request(fakeType, 0, nil)
				var got []string
				var last error
				for m, err := range c.Dump(patiently(t), r) {
					if last = err; err != nil {
						continue
					}
					if got = append(got, said(m)); takeOver {
						if s, err := asking(patiently(t), c, 0, "text"); s != "text" || err != nil {
							t.Error(s, err)
						}
					}
				}
				if want := []string{"one", "two", "three"}; !slices.Equal(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
				isError(t, last, socket.ErrTruncated)
				if s, err := asking(patiently(t), c, 0, "text"); s != "text" || err != nil {
					t.Error(s, err)
				}
				if s := c.Stats(); s.Malformed != 0 || s.Truncated != 1 || s.Stale != 2 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// The truncated part belongs to another exchange.
func TestDumpThatEndsInATruncatedDatagramIsComplete(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: func(req nlmsg.Msg) []event {
			return events(join(message(req, nlmsg.FlagMulti, "one"), done(req, nlmsg.FlagMulti, 0), message(req, 0, strings.Repeat("x", 400))))
		}}
		c := fl.single(t, WithBuffer(256))
		if texts, err := listing(patiently(t), c, ""); len(texts) != 1 || err != nil {
			t.Error(texts, err)
		}
	})
}

func TestHintOfAnotherDumpIsForDumps(t *testing.T) {
	const hint = "another dump"
	c := (&fleet{reply: func(req nlmsg.Msg) []event { return events(answer(req, errno.EBUSY, "")) }}).single(t)
	_, err := asking(t.Context(), c, 0, "text")
	if isError(t, err, errno.EBUSY); strings.Contains(err.Error(), hint) {
		t.Error(err)
	}
	_, err = listing(t.Context(), c, "text")
	if isError(t, err, errno.EBUSY); !strings.Contains(err.Error(), hint) {
		t.Error(err)
	}
}

func TestTransportThatGetsOnAgainCounts(t *testing.T) {
	inTime(t, func(t *testing.T) {
		held := make(chan struct{})
		fl := &fleet{prepare: holdText("stuck", held)}
		fl.reply = func(req nlmsg.Msg) []event {
			if said(req) == "stuck" {
				return nil // the request waits after the send
			}
			return echo(req)
		}
		c := fl.pool(t, WithLimit(1, 1), WithLateReplies())
		stuck := inBackground(func() error { _, err := asking(t.Context(), c, 0, "stuck"); return err })
		synctest.Wait()
		if s, err := asking(patiently(t), c, 0, "text"); s != "text" || err != nil {
			t.Error(s, err)
		}
		count := func() int {
			c.pool.mu.Lock()
			defer c.pool.mu.Unlock()
			return c.pool.stuck[forRequest]
		}
		if n := count(); n != 1 {
			t.Errorf("%d are stuck in a send", n)
		}
		close(held)
		synctest.Wait()
		if n := count(); n != 0 {
			t.Errorf("%d are stuck that wait for their reply", n)
		}
		c.Close()
		isError(t, <-stuck, ErrClosedWaiting)
	})
}
