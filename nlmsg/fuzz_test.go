package nlmsg

import (
	"bytes"
	"errors"
	"testing"
)

// slowSplit is the kernel's receive loop (netlink_rcv_skb) with nothing
// shared: the lengths of the messages it would handle.
func slowSplit(b []byte) (lengths []int) {
	for len(b) >= 16 {
		n := uint64(ne.Uint32(b[:4]))
		if n < 16 || n > uint64(len(b)) {
			break
		}
		lengths = append(lengths, int(n))
		b = b[min((int(n)+3)/4*4, len(b)):]
	}
	return lengths
}

// FuzzMessages holds Consume and All to the kernel's loop and reads every
// message as every kind of answer.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(AppendAck(nil, request(5), 1, einval, full(), AckOptions{Ext: true}))
	f.Add(AppendDone([]byte(request(4)), request(4), 1, 0, 0, full(), AckOptions{Ext: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := slowSplit(b)
		var i, size int
		for m, err := range All(b) {
			if err != nil {
				var syntax *SyntaxError
				if !errors.As(err, &syntax) || syntax.Offset != size || i != len(want) {
					t.Fatalf("%v after %d messages and %d bytes, the kernel reads %d", err, i, size, len(want))
				}
				return
			}
			if i >= len(want) || len(m) != want[i] || cap(m) != len(m) {
				t.Fatalf("message %d has %d bytes, the kernel's are %v", i, len(m), want)
			}
			checkAnswers(t, m)
			one, n := Consume(b[size:])
			if !bytes.Equal(one, m) {
				t.Fatalf("Consume = % x, All = % x", []byte(one), []byte(m))
			}
			size += n
			i++
		}
		if i != len(want) || size != len(b) {
			t.Fatalf("%d messages of %d bytes, the kernel reads %d", i, size, len(want))
		}
	})
}

// checkAnswers reads m as an answer: offsets stay inside, and what was read is
// composed and read again to the same.
func checkAnswers(t *testing.T, m Msg) {
	t.Helper()
	var syntax *SyntaxError
	a, err := ParseAck(m)
	if errors.As(err, &syntax) && (syntax.Offset < 0 || syntax.Offset > len(m)) {
		t.Fatalf("offset %d in a message of %d bytes", syntax.Offset, len(m))
	}
	if err == nil && len(a.Msg) < 1<<16-5 {
		req := a.Request
		again, err := ParseAck(AppendAck(nil, req, m.PortID(), a.Errno, &a.ExtAck, AckOptions{Ext: true}))
		if len(req) > HeaderLen && (err != nil || again.Errno != a.Errno || string(again.Msg) != string(a.Msg)) {
			t.Fatalf("read %+v, again %+v, %v", a, again, err)
		}
	}
	d, err := ParseDone(m)
	if err == nil && d.Errno != 0 && len(d.Msg) < 1<<16-5 {
		again, err := ParseDone(AppendDone(nil, m, m.PortID(), m.Flags(), d.Errno, &d.ExtAck, AckOptions{Ext: true}))
		if err != nil || again.Errno != d.Errno || !bytes.Equal(again.Cookie, d.Cookie) {
			t.Fatalf("read %+v, again %+v, %v", d, again, err)
		}
	}
}
