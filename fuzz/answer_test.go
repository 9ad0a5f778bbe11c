package fuzz

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// reasons maps the oracle's words for problems to errors.
var reasons = map[string]error{
	"type": nlmsg.ErrType, "cut": nlmsg.ErrTruncated, "echo": nlmsg.ErrEcho, "size": nlmsg.ErrExtAck,
	"header": nla.ErrTruncated, "length": nla.ErrLength, "overrun": nla.ErrOverrun,
}

// agreeOnAnswer compares ParseAck or ParseDone with the oracle: all fields that can be read, and
// the problem with the rest.
func agreeOnAnswer(t *testing.T, m nlmsg.Msg, isDone bool) (nlmsg.ExtAck, slowAnswer) {
	t.Helper()
	parse := nlmsg.ParseAck
	if isDone {
		parse = nlmsg.ParseDone
	}
	got, err := parse(m)
	want := slowParse(bytesAt(m), isDone)
	var syntax *nlmsg.SyntaxError
	if errors.As(err, &syntax) != (want.wrong != "") || syntax != nil && (syntax.Err != reasons[want.wrong] || syntax.Offset != want.at) {
		t.Fatalf("%v, the oracle: %q at %d\n% x", err, want.wrong, want.at, []byte(m))
	}
	if uint64(got.Errno) != want.errno || !bytes.Equal(got.Request, want.request) {
		t.Fatalf("errno %d, request % x, the oracle: %d, % x\n% x", got.Errno, []byte(got.Request), want.errno, want.request, []byte(m))
	}
	for typ, value := range map[int][]byte{nlmsg.AttrMsg: got.Msg, nlmsg.AttrCookie: got.Cookie, nlmsg.AttrPolicy: got.Policy} {
		if text, isText := want.texts[typ]; isText != (value != nil) || string(value) != text {
			t.Fatalf("%+v, the oracle: %v, %v\n% x", got, want.texts, want.numbers, []byte(m))
		}
	}
	for typ, value := range map[int]uint32{nlmsg.AttrOffs: got.Offset, nlmsg.AttrMissType: got.MissType, nlmsg.AttrMissNest: got.MissNest} {
		if uint64(value) != want.numbers[typ] { // 0 if it is absent
			t.Fatalf("%+v, the oracle: %v, %v\n% x", got, want.texts, want.numbers, []byte(m))
		}
	}
	return got, want
}

// agreeOnComposing writes the extended ACK got as the reply to request, with all options, and
// reads the result.
func agreeOnComposing(t *testing.T, request nlmsg.Msg, got nlmsg.ExtAck, want slowAnswer) {
	t.Helper()
	for options := range 8 {
		isDone, opts := options&4 != 0, nlmsg.AckOptions{PortID: 9, Cap: options&1 != 0, Ext: options&2 != 0}
		answer := got
		answer.Request = request
		b := nlmsg.AppendAck(nil, &answer, opts)
		if isDone {
			b = nlmsg.AppendDone(nil, &answer, 0, opts)
		}
		if slow := slowCompose(&want, request, isDone, opts.Cap, opts.Ext, 9); !bytes.Equal(b, slow) {
			t.Fatalf("%+v, done %v: composed % x\nthe oracle % x", opts, isDone, b, slow)
		}
		again, _ := agreeOnAnswer(t, b, isDone)
		if again.Errno != got.Errno || opts.Ext && string(again.Msg) != string(got.Msg) {
			t.Fatalf("%+v, again %+v", got, again)
		}
	}
}

// whole returns a request that can be answered, with its actual length: the repeated one, or the
// message itself.
func whole(request, m []byte) nlmsg.Msg {
	if request == nil {
		request = m
	}
	var length slowWriter
	length.number(uint64(len(request)), 4)
	return append(length.b, request[4:]...)
}

// agreeOnDatagram runs these checks on each message.
func agreeOnDatagram(t *testing.T, b []byte) {
	t.Helper()
	frames, stop := slowFrames(b)
	i := 0
	for m, err := range nlmsg.All(b) {
		if err != nil {
			break
		}
		if i >= len(frames) || !bytes.Equal(m, b[frames[i].at:frames[i].end]) {
			t.Fatalf("message %d is % x, the oracle has %v", i, []byte(m), frames)
		}
		i++
		for _, isDone := range []bool{false, true} {
			got, want := agreeOnAnswer(t, m, isDone)
			if len(m) < 1<<15 && (i < 4 || i > len(frames)-4) {
				agreeOnComposing(t, whole(want.request, m), got, want)
			}
		}
	}
	if i != len(frames) || stop > len(b) {
		t.Fatalf("%d messages, the oracle has %v", i, frames)
	}
}

// FuzzAnswers compares the iteration over messages, and reading and composing errors,
// acknowledgements and ends of dumps with extended ACK, with the oracle.
func FuzzAnswers(f *testing.F) { seeds.Fuzz(f, seeds.Datagrams(), agreeOnDatagram) }

// TestAnswersAgreeWithTheOracle runs the check of FuzzAnswers on nearly valid datagrams, and
// checks that every possible problem occurs.
func TestAnswersAgreeWithTheOracle(t *testing.T) {
	g := generate.New(1)
	datagrams := 20_000
	if testing.Short() {
		datagrams = 5_000
	}
	met := map[string]int{}
	for range datagrams {
		b := g.Datagram()
		agreeOnDatagram(t, b)
		frames, _ := slowFrames(b)
		for _, f := range frames {
			for _, isDone := range []bool{false, true} {
				a := slowParse(b[f.at:f.end], isDone)
				met[a.wrong]++
			}
		}
	}
	for word := range reasons {
		if met[word] < datagrams/2000 {
			t.Errorf("%q was wrong only %d times: %v", word, met[word], met)
		}
	}
}
