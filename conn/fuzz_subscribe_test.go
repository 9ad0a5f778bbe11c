package conn

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// counted counts its receives.
type counted struct {
	*groups
	calls int
}

func (g *counted) TryReceive(b []byte) (int, socket.Info, error) {
	g.calls++
	return g.groups.TryReceive(b)
}

func (g *counted) Receive(b []byte) (int, socket.Info, error) {
	g.calls++
	return g.groups.Receive(b)
}

// stream cuts b into datagrams; fates selects the fault of each.
func stream(fates, b []byte) (list []event) {
	size := 16 + len(fates)*20
	for i := 0; len(b) > 0; i++ {
		e := event{b: b[:min(size, len(b))]}
		b = b[len(e.b):]
		fate := byte(0)
		if len(fates) > 0 {
			fate = fates[i%len(fates)] % 8
		}
		switch fate {
		case 1:
			e.info.PortID = 5
		case 2:
			e.err = socket.ErrSender
		case 3:
			e.err = socket.ErrTruncated
		case 4:
			list = append(list, event{err: errno.ENOBUFS})
		case 5:
			list = append(list, event{err: errno.EINTR}, event{b: []byte{}})
		}
		list = append(list, e)
	}
	return list
}

// wanted returns the texts that a subscription must deliver, the number of losses, and the
// statistics.
func wanted(list []event) (texts []string, losses int, stats Stats) {
	for _, e := range list {
		switch {
		case e.err == socket.ErrSender || e.info.PortID != 0:
			stats.Foreign++
		case e.err == socket.ErrTruncated:
			stats.Truncated++
			losses++
		case errors.Is(e.err, errno.ENOBUFS):
			losses++
		case e.err != nil:
		case len(e.b) == 0:
			stats.Malformed++
		default:
			for m, err := range nlmsg.All(e.b) {
				switch {
				case err != nil:
					stats.Malformed++
					losses++
				case m.Type() == nlmsg.TypeOverrun:
					losses++
				case m.Type() != nlmsg.TypeNoop:
					texts = append(texts, text(m))
				}
			}
		}
	}
	stats.Lost = uint64(losses)
	return texts, losses, stats
}

// FuzzSubscription sends a stream of datagrams to a group. Every valid message is delivered
// once and in order, whatever is between them. Losses are reported at most as often as they
// occur, and only if one occurs.
func FuzzSubscription(f *testing.F) {
	for i, s := range seeds.Datagrams() {
		f.Add([]byte{byte(i), byte(i / 8)}, s.B)
		f.Add([]byte{0, 4, 3, 0, 5, 1, 2}, slices.Concat(pad(s.B[:len(s.B):len(s.B)]), groupMessage("more"), s.B))
	}
	f.Fuzz(func(t *testing.T, fates, b []byte) {
		list := stream(fates, b)
		want, losses, stats := wanted(list)
		g := &counted{groups: &groups{fake: newFake(nil), buffer: 1024}}
		c := New(newFake(nil), WithBuffer(1<<16), WithDialer(func() (Transport, error) { return g, nil }))
		defer c.Close()
		sub, err := c.Subscribe(3)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		g.put(list...)
		var got []string
		reported, isEnd := 0, false
		for m, err := range sub.All(t.Context()) {
			var loss *LossError
			switch {
			case errors.As(err, &loss):
				reported++
			case err != nil:
				t.Fatal(err)
			case g.ended && text(m) == "end":
				isEnd = true
			default:
				got = append(got, text(m))
			}
			if isEnd {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff(stats, c.Stats()); diff != "" {
			t.Fatalf("stats: -want +got:\n%s", diff)
		}
		if reported > losses || (reported > 0) != (losses > 0) || g.calls > 3*len(list)+8 {
			t.Fatalf("%d losses, reported %d times, with %d receives for %d events", losses, reported, g.calls, len(list))
		}
	})
}
