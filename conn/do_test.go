package conn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The next request gets its own reply, even if datagrams were queued after the end of this one.
func TestDoReturnsWhatCameUpToTheEnd(t *testing.T) {
	type reply = func(r nlmsg.Msg) []event
	tests := []struct {
		name    string
		flags   nlmsg.Flags
		reply   reply
		want    []string
		errno   errno.Errno
		warning string
		stale   uint64
	}{
		{"one reply", 0, func(r nlmsg.Msg) []event { return events(message(r, 0, "a")) }, []string{"a"}, 0, "", 0},
		{"a reply, then the ACK", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, 0, "a"), answer(r, 0, ""))
		}, []string{"a"}, 0, "", 0},
		{"a reply and the ACK in one datagram", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(join(message(r, 0, "a"), answer(r, 0, "")))
		}, []string{"a"}, 0, "", 0},
		{"an ACK alone", nlmsg.FlagAck, func(r nlmsg.Msg) []event { return events(answer(r, 0, "")) }, nil, 0, "", 0},
		{"several replies, then the ACK", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, 0, "abc"), message(r, 0, "d"), answer(r, 0, ""))
		}, []string{"abc", "d"}, 0, "", 0},
		{"an echo, then the ACK", nlmsg.FlagAck | nlmsg.FlagEcho, func(r nlmsg.Msg) []event {
			return events(message(r, 0, "echo"), answer(r, 0, ""))
		}, []string{"echo"}, 0, "", 0},
		{"an echo without an ACK", nlmsg.FlagEcho, func(r nlmsg.Msg) []event { return events(message(r, 0, "echo")) }, []string{"echo"}, 0, "", 0},
		{"parts, then DONE", 0, func(r nlmsg.Msg) []event {
			return events(message(r, multi, "a"), join(message(r, multi, "b"), done(r, 0, 0)))
		}, []string{"a", "b"}, 0, "", 0},
		{"DONE instead of the ACK", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, multi, "a"), done(r, 0, 0))
		}, []string{"a"}, 0, "", 0},
		{"DONE, and then the ACK", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, multi, "a"), done(r, 0, 0), answer(r, 0, ""))
		}, []string{"a"}, 0, "", 1},
		{"parts without DONE, then the ACK", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, multi, "a"), message(r, multi, "b"), answer(r, 0, ""))
		}, []string{"a", "b"}, 0, "", 0},
		{"parts without an end", 0, func(r nlmsg.Msg) []event {
			return events(message(r, multi, "a"), message(r, multi, "b"))
		}, []string{"a", "b"}, 0, "", 0},
		{"nothing", 0, func(nlmsg.Msg) []event { return nil }, nil, 0, "", 0},
		{"an empty DONE", 0, func(r nlmsg.Msg) []event {
			b := nlmsg.Begin(nil, nlmsg.TypeDone, nlmsg.FlagMulti, r.Seq(), fakePort)
			return events(nlmsg.End(b, 0))
		}, nil, 0, "", 0},
		{"an error", 0, func(r nlmsg.Msg) []event { return events(answer(r, 2, "no such thing")) }, nil, errno.ENOENT, "", 0},
		{"an error after a reply", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, 0, "a"), answer(r, 22, ""))
		}, []string{"a"}, errno.EINVAL, "", 0},
		{"DONE with an error", 0, func(r nlmsg.Msg) []event {
			return events(message(r, multi, "a"), done(r, 0, 5))
		}, []string{"a"}, errno.EIO, "", 0},
		{"a warning", nlmsg.FlagAck, func(r nlmsg.Msg) []event { return events(answer(r, 0, "deprecated")) }, nil, 0, "deprecated", 0},
		{"NOOP in between", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			noop := nlmsg.Msg(message(r, 0, ""))
			b := nlmsg.Begin(nil, nlmsg.TypeNoop, 0, noop.Seq(), fakePort)
			return events(nlmsg.End(b, 0), answer(r, 0, ""))
		}, nil, 0, "", 0},
		{"everything twice", nlmsg.FlagAck, func(r nlmsg.Msg) []event {
			return events(message(r, 0, "a"), message(r, 0, "a"), answer(r, 0, ""), answer(r, 0, ""))
		}, []string{"a", "a"}, 0, "", 1},
		{"the port ID left 0, as audit does", 0, func(r nlmsg.Msg) []event {
			b := nlmsg.Begin(nil, fakeType, 0, r.Seq(), 0)
			return events(nlmsg.End(append(b, "a"...), 0))
		}, []string{"a"}, 0, "", 0},
		{"late answers and those to another port first", 0, func(r nlmsg.Msg) []event {
			late, foreign := r.Clone(), message(r, 0, "for another port")
			late.SetSeq(r.Seq() - 1)
			foreign[12]++
			return events(message(late, 0, "late"), answer(late, 1, ""), done(late, 0, 0), foreign, message(r, 0, "a"))
		}, []string{"a"}, 0, "", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var warnings []string
			c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
				if text(reqs[0]) == "next" {
					return events(message(reqs[0], 0, "its own"))
				}
				return tt.reply(reqs[0])
			}, WithWarnings(func(e *Error) { warnings = append(warnings, string(e.Msg)) }))
			r := c.Request(fakeType, nlmsg.FlagRequest|tt.flags, nil)
			defer r.Release()
			first, err := c.Do(t.Context(), r)
			var got []string
			for m := range r.Replies() {
				got = append(got, text(m))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("replies -want +got:\n%s", diff)
			}
			if tt.errno == 0 && err != nil || tt.errno != 0 && !errors.Is(err, tt.errno) || r.Err() != err {
				t.Errorf("error %v, want errno %d", err, tt.errno)
			}
			if len(tt.want) > 0 && err == nil && text(first) != tt.want[0] || len(tt.want) == 0 && first != nil {
				t.Errorf("first reply %q", text(first))
			}
			if w := r.Warning(); (w != nil) != (tt.warning != "") || w != nil && (string(w.Msg) != tt.warning || w.Unwrap() != nil || !slices.Equal(warnings, []string{tt.warning})) {
				t.Errorf("warning %v, the hook had %v", w, warnings)
			}
			if got, err := ask(t, c, 0, "next"); got != "its own" || err != nil {
				t.Errorf("the next request: %q, %v", got, err)
			}
			if s := c.Stats(); s.Stale != tt.stale {
				t.Errorf("%+v, want %d stale", s, tt.stale)
			}
		})
	}
}

// Each fault is counted.
func TestFaultsThatTouchNoReplyDoNotFailTheRequest(t *testing.T) {
	tests := []struct {
		name  string
		reply func(r nlmsg.Msg) []event
		stats Stats
	}{
		{"EINTR", func(nlmsg.Msg) []event { return []event{{err: errno.EINTR}} }, Stats{}},
		{"EAGAIN", func(nlmsg.Msg) []event { return []event{{err: fmt.Errorf("x: %w", errno.EAGAIN)}} }, Stats{}},
		{"ENOBUFS, but the answer is there", func(nlmsg.Msg) []event { return []event{{err: errno.ENOBUFS}} }, Stats{Lost: 1}},
		{"an empty datagram", func(nlmsg.Msg) []event { return events([]byte{}) }, Stats{Malformed: 1}},
		{"no sender", func(r nlmsg.Msg) []event { return []event{{b: message(r, 0, "forged"), err: socket.ErrSender}} }, Stats{Foreign: 1}},
		{"another process", func(r nlmsg.Msg) []event {
			return []event{{b: message(r, 0, "forged"), info: socket.Info{PortID: 77}}}
		}, Stats{Foreign: 1}},
		{"a truncated one of another process", func(r nlmsg.Msg) []event {
			return []event{{b: join(message(r, 0, "forged"), make([]byte, 400)), info: socket.Info{PortID: 77}}}
		}, Stats{Foreign: 1, Truncated: 1}},
		{"a notification with our numbers", func(r nlmsg.Msg) []event {
			return []event{{b: message(r, 0, "forged"), info: socket.Info{Group: 40}}, {b: message(r, 0, "forged"), info: socket.Info{Groups: 1}}}
		}, Stats{Notifications: 2}},
		{"garbage after a stale message", func(r nlmsg.Msg) []event {
			late := r.Clone()
			late.SetSeq(r.Seq() - 1)
			return events(join(message(late, 0, "a"), []byte{1, 2, 3, 4}))
		}, Stats{Stale: 1, Malformed: 1}},
		{"a stale message cut", func(r nlmsg.Msg) []event {
			late := r.Clone()
			late.SetSeq(r.Seq() - 1)
			return events(message(late, 0, strings.Repeat("x", 400)))
		}, Stats{Truncated: 1}},
		{"a NOOP without numbers", func(r nlmsg.Msg) []event {
			b := nlmsg.Begin(nil, nlmsg.TypeNoop, 0, 0, 0)
			return events(nlmsg.End(b, 0))
		}, Stats{Stale: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
				return append(tt.reply(reqs[0]), event{b: message(reqs[0], 0, "right")})
			}, WithBuffer(256))
			for range 3 {
				if got, err := ask(t, c, 0, ""); got != "right" || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			want := tt.stats
			want = Stats{3 * want.Stale, 3 * want.Foreign, 3 * want.Notifications, 3 * want.Malformed, 3 * want.Truncated, 3 * want.Lost, 0}
			if diff := cmp.Diff(want, c.Stats()); diff != "" {
				t.Errorf("stats -want +got:\n%s", diff)
			}
		})
	}
}

func TestLossesAndFaultsFailTheirRequestAndNotTheNext(t *testing.T) {
	overrun := func(r nlmsg.Msg) []byte {
		b := nlmsg.Begin(nil, nlmsg.TypeOverrun, 0, r.Seq(), fakePort)
		return nlmsg.End(b, 0)
	}
	tests := []struct {
		name  string
		reply func(r nlmsg.Msg) []event
		want  error
		loss  bool
	}{
		{"ENOBUFS, and nothing else", func(nlmsg.Msg) []event { return []event{{err: errno.ENOBUFS}} }, errno.ENOBUFS, true},
		{"a truncated reply", func(r nlmsg.Msg) []event { return events(message(r, 0, strings.Repeat("x", 400))) }, socket.ErrTruncated, true},
		{"truncated after a message for us", func(r nlmsg.Msg) []event {
			return events(join(message(r, nlmsg.FlagMulti, "a"), message(r, nlmsg.FlagMulti, strings.Repeat("x", 400))))
		}, socket.ErrTruncated, true},
		{"an overrun", func(r nlmsg.Msg) []event { return events(overrun(r)) }, ErrOverrun, true},
		{"an overrun without numbers", func(r nlmsg.Msg) []event { return events(overrun(nil)) }, ErrOverrun, true},
		{"a length below the header", func(r nlmsg.Msg) []event {
			b := message(r, 0, "")
			b[0], b[3] = 8, 8
			return events(b)
		}, nlmsg.ErrOverrun, false},
		{"garbage", func(nlmsg.Msg) []event { return events([]byte{1, 2, 3}) }, nlmsg.ErrTruncated, false},
		{"garbage after a message for us", func(r nlmsg.Msg) []event {
			return events(join(message(r, nlmsg.FlagMulti, "a"), []byte{1, 2, 3, 4}))
		}, nlmsg.ErrTruncated, false},
		{"a receive that fails", func(nlmsg.Msg) []event { return []event{{err: errno.ENOTCONN}} }, errno.ENOTCONN, false},
		{"more replies than the limit", func(r nlmsg.Msg) []event {
			return events(message(r, nlmsg.FlagMulti, strings.Repeat("x", 200)), message(r, nlmsg.FlagMulti, strings.Repeat("x", 200)), done(r, 0, 0))
		}, ErrTooMuch, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
				if text(reqs[0]) == "next" {
					return events(message(reqs[0], 0, "its own"))
				}
				return tt.reply(reqs[0])
			}, WithBuffer(256), WithQueue(300))
			_, err := ask(t, c, 0, "")
			isError(t, err, tt.want)
			var loss *LossError
			if errors.As(err, &loss) != tt.loss {
				t.Errorf("error %v is a loss: %v, want %v", err, !tt.loss, tt.loss)
			}
			if got, err := ask(t, c, 0, "next"); got != "its own" || err != nil {
				t.Errorf("the next request: %q, %v", got, err)
			}
		})
	}
}

func TestReplyAboveTheBufferIsALossEachTime(t *testing.T) {
	long := strings.Repeat("x", 5200)
	c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		return events(message(reqs[0], 0, long[:len(text(reqs[0]))*100]))
	}, WithBuffer(nlmsg.HeaderLen+4800))
	for range 3 {
		_, err := ask(t, c, 0, strings.Repeat("y", 52))
		isError(t, err, socket.ErrTruncated)
		if got, err := ask(t, c, 0, strings.Repeat("y", 48)); len(got) != 4800 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	if s := c.Stats(); s != (Stats{Truncated: 3}) {
		t.Errorf("%+v", s)
	}
	const most = DefaultBuffer - nlmsg.HeaderLen
	c, _ = newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		return events(message(reqs[0], 0, strings.Repeat("x", most)))
	})
	if got, err := ask(t, c, 0, ""); len(got) != most || err != nil {
		t.Errorf("the longest: %d bytes, %v", len(got), err)
	}
}

func TestRequestShorterThanAHeaderIsRefused(t *testing.T) {
	c, f := newFakeConn(t, acknowledgeAll)
	r := c.Request(fakeType, nlmsg.FlagRequest|nlmsg.FlagAck, nil)
	whole := r.B
	r.B = []byte("abc")
	_, err := c.Do(t.Context(), r)
	isError(t, err, ErrRequest)
	isError(t, c.Batch(t.Context(), r), ErrRequest)
	for _, err := range c.Dump(t.Context(), r) {
		isError(t, err, ErrRequest)
	}
	if f.requests() != 0 {
		t.Errorf("%d datagrams sent", f.requests())
	}
	r.B = whole
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Errorf("the request with a header: %v", err)
	}
}

// acknowledgeAll acknowledges the requests with FlagAck.
func acknowledgeAll(_ *fake, reqs []nlmsg.Msg) (list []event) {
	for _, r := range reqs {
		if r.Flags()&nlmsg.FlagAck != 0 {
			list = append(list, event{b: answer(r, 0, "")})
		}
	}
	return list
}

// 0 is the sequence number of notifications.
func TestSequenceNumbersWrapAroundWithoutZero(t *testing.T) {
	var seen []uint32
	c, _ := newFakeConn(t, func(f *fake, reqs []nlmsg.Msg) []event {
		for _, r := range reqs {
			seen = append(seen, r.Seq())
		}
		return acknowledgeAll(f, reqs)
	})
	c.pool.first.seq = 1<<32 - 4
	for range 5 {
		if _, err := ask(t, c, nlmsg.FlagAck, ""); err != nil {
			t.Fatal(err)
		}
	}
	c.pool.first.seq = 1<<32 - 2
	batch := []*Request{c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil)}
	if err := c.Batch(t.Context(), batch...); err != nil {
		t.Fatal(err)
	}
	c.pool.first.seq = 1<<32 - 2
	for range 2 { // the acknowledgement that each request causes afterwards has a number too
		if _, err := ask(t, c, 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	want := []uint32{1<<32 - 3, 1<<32 - 2, 1<<32 - 1, 1, 2, 1<<32 - 1, 1, 2, 1<<32 - 1, 2}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBatchIsOneDatagramWithAnErrorForEachRequest(t *testing.T) {
	var got []string
	c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		var list []event
		for i, r := range reqs {
			got = append(got, text(r))
			switch {
			case text(r) == "bad!":
				list = append(list, event{b: answer(r, 17, "exists")})
			case r.Flags()&nlmsg.FlagAck != 0:
				list = append(list, event{b: answer(r, 0, "")})
			}
			if i > 0 && r.Seq() != reqs[i-1].Seq()+1 {
				t.Errorf("request %d has number %d after %d", i, r.Seq(), reqs[i-1].Seq())
			}
		}
		return list
	})
	requests := func(texts ...string) (batch []*Request) {
		for _, s := range texts {
			flags := nlmsg.FlagRequest
			if !strings.HasPrefix(s, "-") {
				flags |= nlmsg.FlagAck
			}
			batch = append(batch, c.Request(fakeType, flags, []byte(s)))
		}
		return batch
	}
	batch := requests("-beg", "good", "bad!", "more", "-end")
	err := c.Batch(t.Context(), batch...)
	isError(t, err, errno.EEXIST)
	if err == nil || !strings.Contains(err.Error(), "request 2 of the batch") || !strings.Contains(err.Error(), "exists") {
		t.Errorf("error %v", err)
	}
	for i, r := range batch {
		if (r.Err() != nil) != (i == 2) {
			t.Errorf("request %d: %v", i, r.Err())
		}
	}
	if diff := cmp.Diff([]string{"-beg", "good", "bad!", "more", "-end"}, got); diff != "" || f.requests() != 1 {
		t.Errorf("%d datagrams, -want +got:\n%s", f.requests(), diff)
	}
	if err := c.Batch(t.Context()); err != nil || f.requests() != 1 {
		t.Errorf("an empty batch: %v, %d datagrams", err, f.requests())
	}
	if err := c.Batch(t.Context(), requests("good")...); err != nil {
		t.Errorf("a batch of one: %v", err)
	}
	if err := c.Batch(t.Context(), requests("-one", "-two")...); err != nil {
		t.Errorf("a batch that asks for nothing: %v", err)
	}
}

// If nfnetlink cannot handle a batch at all, it answers with one error for the first
// message.
func TestRequestsOfABatchThatIsRefusedAsAWholeAreUnanswered(t *testing.T) {
	c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event { return events(answer(reqs[0], 12, "")) })
	batch := []*Request{c.Request(fakeType, nlmsg.FlagRequest, nil), c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil)}
	isError(t, c.Batch(t.Context(), batch...), errno.ENOMEM)
	isError(t, batch[0].Err(), errno.ENOMEM)
	isError(t, batch[1].Err(), ErrUnanswered)
	isError(t, batch[2].Err(), ErrUnanswered)
}
