package nl

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

const (
	testSeq  = 7
	testPort = 4711
	testType = 0x20
)

// message appends a message to a datagram.
func message(b []byte, typ nlmsg.Type, flags nlmsg.Flags, seq uint32, payload ...byte) []byte {
	mark := len(b)
	b = append(nlmsg.Begin(b, typ, flags, seq, testPort), payload...)
	return nlmsg.End(b, mark)
}

// answer passes datagrams to an exchange until it ends, and returns the result of Execute.
func answer(t *testing.T, x *exchange, datagrams ...[]byte) ([][]byte, error) {
	t.Helper()
	x.seq, x.portID = testSeq, testPort
	for _, b := range datagrams {
		isOver, err := x.datagram(b)
		if err != nil || isOver {
			return x.payloads, err
		}
	}
	t.Fatal("the answer does not end")
	return nil, nil
}

// ack makes an Error message for the request testSeq with a text, as the kernel sends it.
func ack(e errno.Errno, text string, opts nlmsg.AckOptions) []byte {
	request := message(nil, testType, nlmsg.FlagRequest, testSeq, 1, 2, 3, 4)
	opts.PortID = testPort
	return nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: e, Request: request, Msg: []byte(text)}, opts)
}

func done(e errno.Errno, text string) []byte {
	request := message(nil, testType, nlmsg.FlagRequest, testSeq)
	return nlmsg.AppendDone(nil, &nlmsg.ExtAck{Errno: e, Request: request, Msg: []byte(text)}, 0,
		nlmsg.AckOptions{PortID: testPort, Ext: text != ""})
}

func TestVerdict(t *testing.T) {
	full, capped, plainAck := nlmsg.AckOptions{Ext: true}, nlmsg.AckOptions{Ext: true, Cap: true}, nlmsg.AckOptions{}
	for _, c := range []struct {
		name  string
		b     []byte
		errno syscall.Errno
		text  string
	}{
		{"success", ack(0, "", plainAck), 0, ""},
		{"success with a warning", ack(0, "deprecated", full), 0, ""},
		{"errno", ack(errno.ENOENT, "", plainAck), unix.ENOENT, ""},
		{"text", ack(errno.EINVAL, "bad attribute", full), unix.EINVAL, "bad attribute"},
		{"text, capped", ack(errno.EINVAL, "bad attribute", capped), unix.EINVAL, "bad attribute"},
		{"done", done(0, ""), 0, ""},
		{"done without payload", message(nil, nlmsg.TypeDone, nlmsg.FlagMulti, testSeq), 0, ""},
		{"done with errno", done(errno.EOPNOTSUPP, ""), unix.EOPNOTSUPP, ""},
		{"done with text", done(errno.EOPNOTSUPP, "no dump"), unix.EOPNOTSUPP, "no dump"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := answer(t, &exchange{}, c.b)
			switch {
			case c.errno == 0 && err != nil:
				t.Error(err)
			case c.errno != 0 && c.text == "" && err != c.errno: // callers compare with ==
				t.Errorf("error %v, want %v itself", err, c.errno)
			case c.text != "" && (!errors.Is(err, c.errno) || err.Error() != c.errno.Error()+": "+c.text):
				t.Errorf("error %v, want %v with %q", err, c.errno, c.text)
			}
		})
	}
}

// TestVerdictMalformed checks that malformed replies do not panic, and that a reply without
// an errno is not a success.
func TestVerdictMalformed(t *testing.T) {
	whole := ack(errno.EINVAL, "bad attribute", nlmsg.AckOptions{Ext: true})
	for n := nlmsg.HeaderLen; n < len(whole); n++ {
		b := bytes.Clone(whole[:n])
		h := nlmsg.Msg(whole).Header()
		b = message(nil, h.Type, h.Flags, testSeq, b[nlmsg.HeaderLen:]...)
		_, err := answer(t, &exchange{}, b)
		if hasErrno := n >= nlmsg.HeaderLen+4; err == nil || hasErrno != errors.Is(err, unix.EINVAL) {
			t.Errorf("%d of %d bytes: error %v", n, len(whole), err)
		}
	}
	if _, err := answer(t, &exchange{}, message(nil, nlmsg.TypeDone, 0, testSeq, 1, 2)); err == nil {
		t.Error("done with half an errno is no error")
	}
}

func TestAnswerOfSeveralDatagrams(t *testing.T) {
	first := message(nil, testType, nlmsg.FlagMulti, testSeq, 1)
	first = message(first, testType+1, nlmsg.FlagMulti, testSeq, 2)
	second := message(nil, testType, nlmsg.FlagMulti, testSeq, 3)
	second = append(second, done(0, "")...)
	got, err := answer(t, &exchange{resType: testType}, first, second)
	if want := [][]byte{{1}, {3}}; err != nil || !equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	clear(first)
	clear(second)
	if want := [][]byte{{1}, {3}}; !equal(got, want) {
		t.Errorf("the payloads changed with the buffers: %v", got)
	}
	got, err = answer(t, &exchange{}, message(nil, testType, 0, testSeq, 9)) // the last, because it lacks MULTI
	if want := [][]byte{{9}}; err != nil || !equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func equal(a, b [][]byte) bool {
	return bytes.Equal(bytes.Join(a, []byte{0xff}), bytes.Join(b, []byte{0xff}))
}

// TestAnswerCapacity checks that the payload of a message ends with the message, but not its
// capacity: see routeAttr.
func TestAnswerCapacity(t *testing.T) {
	b := message(nil, testType, nlmsg.FlagMulti, testSeq, nla.AppendUint8(nil, 1, 7)...)
	got, err := answer(t, &exchange{}, append(b, done(0, "")...))
	check(t, err)
	attrs, err := ParseRouteAttr(got[0])
	check(t, err)
	if v := attrs[0].Value; len(v) != 1 || !bytes.Equal(v[:4], []byte{7, 0, 0, 0}) {
		t.Errorf("value % x with capacity %d", v, cap(v))
	}
}

func TestAnswerStopsCallback(t *testing.T) {
	b := message(nil, testType, nlmsg.FlagMulti, testSeq, 1)
	b = message(b, testType, nlmsg.FlagMulti, testSeq, 2)
	calls := 0
	x := exchange{f: func([]byte) bool { calls++; return false }}
	if _, err := answer(t, &x, b, done(errno.ENODEV, "")); err != unix.ENODEV || calls != 1 {
		t.Errorf("%d calls, error %v; want 1 and the error of the end", calls, err)
	}
}

func TestDumpInterrupted(t *testing.T) {
	for _, where := range []string{"message", "end"} {
		var flags [2]nlmsg.Flags
		flags[map[string]int{"message": 0, "end": 1}[where]] = nlmsg.FlagDumpIntr
		b := message(nil, testType, nlmsg.FlagMulti|flags[0], testSeq, 1)
		b = message(b, nlmsg.TypeDone, nlmsg.FlagMulti|flags[1], testSeq, 0, 0, 0, 0)
		x := exchange{}
		if got, err := answer(t, &x, b); err != nil || !x.isInterrupted || len(got) != 1 {
			t.Errorf("%s: %v, %v, interrupted %v", where, got, err, x.isInterrupted)
		}
	}
	if !errors.Is(ErrDumpInterrupted, unix.EINTR) {
		t.Error("ErrDumpInterrupted does not match EINTR")
	}
}

func TestAnswerOfOthers(t *testing.T) {
	stale := message(nil, testType, 0, testSeq-1, 1)
	own := message(nil, testType, 0, testSeq, 2)
	got, err := answer(t, &exchange{isShared: true}, stale, own)
	if want := [][]byte{{2}}; err != nil || !equal(got, want) {
		t.Errorf("shared socket: %v, %v, want %v", got, err, want)
	}
	if _, err := answer(t, &exchange{}, stale, own); err == nil || !strings.Contains(err.Error(), "sequence number 6") {
		t.Errorf("own socket: %v", err)
	}
	other := nlmsg.End(nlmsg.Begin(nil, testType, 0, testSeq, testPort+1), 0)
	if got, err := answer(t, &exchange{}, other, own); err != nil || len(got) != 1 {
		t.Errorf("message for another port: %v, %v", got, err)
	}
}

func TestAnswerMalformed(t *testing.T) {
	b := message(nil, testType, nlmsg.FlagMulti, testSeq, 1)
	if _, err := answer(t, &exchange{}, append(b, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)); err != unix.EINVAL {
		t.Errorf("length past the end: %v, want EINVAL", err)
	}
	if _, err := answer(t, &exchange{}, append(b, 1, 2, 3), done(0, "")); err != nil {
		t.Errorf("three bytes after the last message: %v", err)
	}
}
