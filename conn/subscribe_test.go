package conn

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// groups is a fake with multicast groups and a receive buffer. "end" arrives at the first
// receive that waits.
type groups struct {
	*fake
	joined []uint32
	buffer int
	ended  bool
}

func (g *groups) Join(group uint32) error {
	if group == 99 {
		return errno.EPERM
	}
	g.joined = append(g.joined, group)
	return nil
}

func (g *groups) ReceiveBuffer() (int, error)      { return g.buffer, nil }
func (g *groups) SetReceiveBuffer(bytes int) error { g.buffer = 2 * bytes; return nil }

func (g *groups) Receive(b []byte) (int, socket.Info, error) {
	if !g.ended {
		g.ended = true
		g.put(event{b: groupMessage("end")})
	}
	return g.fake.Receive(b)
}

// groupMessage makes a message to a group.
func groupMessage(payload string) []byte {
	b := nlmsg.Begin(nil, fakeType, 0, 0, 0)
	return nlmsg.End(append(b, payload...), 0)
}

func subscribeGroups(t *testing.T, options ...Option) (*Conn, *Subscription, *groups) {
	t.Helper()
	g := &groups{fake: newFake(nil), buffer: 1024}
	c, _ := newFakeConn(t, nil, append(options, WithDialer(func() (Transport, error) { return g, nil }))...)
	sub, err := c.Subscribe(3, 40)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint32{3, 40}, g.joined); diff != "" || sub.Transport() != g {
		t.Errorf("joined -want +got:\n%s", diff)
	}
	return c, sub, g
}

func TestLoopOfASubscriptionDeliversAllAndReportsLosses(t *testing.T) {
	note := func(s string) event { return event{b: groupMessage(s)} }
	notes := func(texts ...string) (list []event) {
		for _, s := range texts {
			list = append(list, note(s))
		}
		return list
	}
	many := []string{"10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21"}
	control := func(typ nlmsg.Type) []byte {
		b := nlmsg.Begin(nil, typ, 0, 0, 0)
		return nlmsg.End(b, 0)
	}
	const full = "lost: no buffer space available"
	tests := []struct {
		name   string
		events []event
		want   []string
		stats  Stats
	}{
		{"several in a datagram", []event{{b: join(groupMessage("a..."), control(nlmsg.TypeNoop), groupMessage("b"))}}, []string{"a...", "b"}, Stats{}},
		{"EINTR, EAGAIN, an empty one", []event{{err: errno.EINTR}, note("a"), {err: errno.EAGAIN}, {b: []byte{}}}, []string{"a"}, Stats{Malformed: 1}},
		{"from another process", []event{{b: groupMessage("lie"), info: socket.Info{PortID: 5}}, {b: groupMessage("lie"), err: socket.ErrSender}}, nil, Stats{Foreign: 2}},
		{"a loss, reported when nothing is queued", []event{note("a"), {err: errno.ENOBUFS}, note("b"), note("c")}, []string{"a", "b", "c", full}, Stats{Lost: 1}},
		{"a loss, reported after as many as the buffer holds", append([]event{{err: errno.ENOBUFS}}, notes(many...)...),
			slices.Concat(many[:4], []string{full}, many[4:]), Stats{Lost: 1}},
		{"a second loss meanwhile", slices.Concat([]event{{err: errno.ENOBUFS}}, notes(many[:3]...), []event{{err: errno.ENOBUFS}}, notes(many[3:]...)),
			slices.Concat(many[:4], []string{full}, many[4:], []string{full}), Stats{Lost: 2}},
		{"two losses before the queue is empty", []event{{err: errno.ENOBUFS}, note("1"), {err: errno.ENOBUFS}},
			[]string{"1", full}, Stats{Lost: 2}},
		{"an overrun", []event{{b: join(groupMessage("a..."), control(nlmsg.TypeOverrun), groupMessage("b"))}}, []string{"a...", "b", "lost: " + ErrOverrun.Error()}, Stats{Lost: 1}},
		{"truncated", []event{{b: groupMessage(strings.Repeat("x", 400))}}, []string{"lost: " + socket.ErrTruncated.Error()}, Stats{Truncated: 1, Lost: 1}},
		{"garbage after a message", []event{{b: join(groupMessage("a..."), []byte{1, 2, 3, 4, 5})}}, []string{"a...", "lost: " + nlmsg.ErrTruncated.Error()}, Stats{Malformed: 1, Lost: 1}},
	}
	for _, tt := range tests {
		for _, resync := range []bool{false, true} {
			name := tt.name
			if resync {
				name += ", with Resync"
			}
			t.Run(name, func(t *testing.T) {
				c, sub, g := subscribeGroups(t, WithBuffer(256))
				g.put(tt.events...)
				var got []string
				lost := func(loss *LossError) { got = append(got, "lost: "+loss.Err.Error()) }
				if resync {
					sub.Resync = func(_ context.Context, loss *LossError) error { lost(loss); return nil }
				}
				for m, err := range sub.All(t.Context()) {
					var loss *LossError
					if errors.As(err, &loss) {
						if resync {
							t.Errorf("%v in addition to Resync", err)
						}
						lost(loss)
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if text(m) == "end" {
						break
					}
					got = append(got, text(m))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if diff := cmp.Diff(tt.stats, c.Stats()); diff != "" {
					t.Errorf("stats -want +got:\n%s", diff)
				}
				if grew := g.buffer > 1024; grew != (tt.stats.Lost > 0) {
					t.Errorf("receive buffer of %d after %d losses", g.buffer, tt.stats.Lost)
				}
			})
		}
	}
}

func TestLoopOfASubscriptionEndsWithTheErrorThatEndedIt(t *testing.T) {
	_, sub, g := subscribeGroups(t)
	wrong := errors.New("wrong")
	sub.Resync = func(context.Context, *LossError) error { return wrong }
	g.put(event{err: errno.ENOBUFS})
	for _, err := range sub.All(t.Context()) {
		isError(t, err, wrong)
	}
	g.put(event{err: errno.ENOTCONN})
	for _, err := range sub.All(t.Context()) {
		isError(t, err, errno.ENOTCONN)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range sub.All(ctx) {
		isError(t, err, context.Canceled)
	}
	g.put(event{b: groupMessage("a")}, event{err: errno.ENOBUFS})
	sub.Resync = nil
	for range sub.All(t.Context()) {
		break
	}
	for _, err := range sub.All(t.Context()) {
		isError(t, err, errno.ENOBUFS)
		break
	}
}

func TestSubscriptionThatFailsLeavesNoTransportOpen(t *testing.T) {
	g := &groups{fake: newFake(nil)}
	c, _ := newFakeConn(t, nil, WithDialer(func() (Transport, error) { return g, nil }))
	_, err := c.Subscribe(1, 99)
	isError(t, err, errno.EPERM)
	if !g.closed {
		t.Error("the Transport is left open")
	}
	c.Close()
	_, err = c.Subscribe(1)
	isError(t, err, os.ErrClosed)
}
