package nlmsg

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
)

const (
	enoent = errno.ENOENT
	einval = errno.EINVAL
)

// answering returns e as the reply to a request.
func answering(e *ExtAck, code errno.Errno, request Msg) *ExtAck {
	c := *e
	c.Errno, c.Request = code, request
	return &c
}

// toPort returns the options with a port ID.
func toPort(o AckOptions, portID uint32) AckOptions {
	o.PortID = portID
	return o
}

// Requests and the kernel's answers, with every combination of the two socket options. An answer
// that is read and composed again must have the same bytes.
func TestRecordedAcks(t *testing.T) {
	for name, opts := range map[string]AckOptions{
		"acks-none": {}, "acks-cap": {Cap: true}, "acks-ext": {Ext: true}, "acks-extcap": {Cap: true, Ext: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := golden.Datagrams(t, name)
			if len(d) != 2*14 {
				t.Fatalf("%d datagrams, want 14 pairs", len(d))
			}
			for i := 0; i < len(d); i += 2 {
				request, answer := Msg(d[i]), Msg(d[i+1])
				a, err := ParseAck(answer)
				if err != nil {
					t.Fatalf("answer %d: %v", i/2, err)
				}
				if a.Request.Seq() != request.Seq() || a.Request.Type() != request.Type() {
					t.Errorf("answer %d repeats %v, want %v", i/2, a.Request, request)
				}
				again := AppendAck(nil, answering(&a, a.Errno, request), toPort(opts, answer.PortID()))
				if diff := cmp.Diff([]byte(answer), again); diff != "" {
					t.Errorf("answer %d: -kernel +nlwire:\n%s", i/2, diff)
				}
			}
		})
	}
}

// The fields of the kernel's answers with extended ACK enabled.
func TestRecordedExtAcks(t *testing.T) {
	type said struct {
		Errno  errno.Errno
		Msg    string
		Offset uint32
		Miss   uint32
		Nest   uint32
		Policy bool
	}
	want := []said{
		{},
		{Msg: "bytes leftover after parsing attributes"},
		{Errno: einval, Msg: "Attribute failed policy validation", Offset: 20, Policy: true},
		{Errno: enoent},
		{Errno: einval, Msg: "bytes leftover after parsing attributes"},
		{},
		{Errno: einval, Miss: 1},
		{Errno: 34, Msg: "integer out of range", Offset: 20, Policy: true},
		{Errno: einval, Miss: 1},
		{Errno: einval, Msg: "NLA_F_NESTED is missing", Offset: 20, Policy: true},
		{Errno: einval, Msg: "reserved bit set", Offset: 24},
		{Errno: einval, Msg: "neither ifindex nor name specified", Offset: 20},
		{Errno: 19, Msg: "no device matches name", Offset: 24},
		{Errno: 95},
	}
	for _, name := range []string{"acks-ext", "acks-extcap"} {
		d := golden.Datagrams(t, name)
		var got []said
		for i := 1; i < len(d); i += 2 {
			a, err := ParseAck(d[i])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, said{a.Errno, string(a.Msg), a.Offset, a.MissType, a.MissNest, a.Policy != nil})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestRecordedDones(t *testing.T) {
	type done struct {
		Errno errno.Errno
		Msg   string
	}
	want := []done{
		{0, "failed to retrieve link settings"},
		{0, "bytes leftover after parsing attributes"},
		{einval, "bytes leftover after parsing attributes"},
		{einval, "Invalid header for link dump"},
		{90, ""},
		{enoent, ""},
		{0, ""},
		{einval, ""},
		{0, "leftover: Port params are not supported"},
	}
	var got []done
	for i, d := range golden.Datagrams(t, "dones") {
		m := lastMsg(t, d) // the kernel appends it to the last datagram of the dump
		a, err := ParseDone(m)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		got = append(got, done{a.Errno, string(a.Msg)})
		if a.Request != nil {
			t.Errorf("message %d: a Done repeated a request", i)
		}
		if m.Payload() == nil {
			continue // the kernel's netlink_dump_done never sends these
		}
		request := Begin(nil, 0x10, FlagRequest|FlagDump, m.Seq(), 0)
		request = End(request, 0)
		flags := m.Flags() & (FlagDumpIntr | FlagDumpFiltered)
		if again := AppendDone(nil, answering(&a, a.Errno, request), flags, AckOptions{PortID: m.PortID(), Ext: true}); !bytes.Equal(again, m) {
			t.Errorf("message %d:\n% x\nwant\n% x", i, again, []byte(m))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func lastMsg(t *testing.T, datagram []byte) (last Msg) {
	t.Helper()
	for m, err := range All(datagram) {
		if err != nil {
			t.Fatal(err)
		}
		last = m
	}
	return last
}

// full returns an extended ACK with every attribute.
func full() *ExtAck {
	return &ExtAck{
		Msg: []byte("text"), Cookie: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Policy: nla.AppendUint32(nil, 1, 4),
		Offset: 16, MissType: 9, MissNest: 20,
	}
}

func request(payload int) Msg {
	b := Begin(nil, 0x10, FlagRequest|FlagAck, 7, 0)
	return Msg(End(append(b, bytes.Repeat([]byte{0xaa}, payload)...), 0))[:HeaderLen+payload]
}

// Every TLV with every combination of options, errno and request length.
func TestAckCombinations(t *testing.T) {
	for _, payload := range []int{0, 1, 3, 4, 5, 20, 4096} {
		for _, code := range []errno.Errno{0, einval, 1 << 31} {
			for _, opts := range []AckOptions{{}, {Cap: true}, {Ext: true}, {Cap: true, Ext: true}} {
				req, ext := request(payload), full()
				m, n := Consume(AppendAck(nil, answering(ext, code, req), toPort(opts, 4242)))
				if n < 0 || n%AlignTo != 0 {
					t.Fatalf("%d bytes, %v", n, ParseError(n))
				}
				a, err := ParseAck(m)
				if err != nil || a.Errno != code || m.PortID() != 4242 || m.Seq() != 7 {
					t.Fatalf("payload %d, errno %d, %+v: %v, %v", payload, code, opts, m, err)
				}
				capped := code == 0 || opts.Cap
				if (m.Flags()&FlagCapped != 0) != capped || (m.Flags()&FlagAckTLVs != 0) != opts.Ext {
					t.Errorf("errno %d, %+v: flags %v", code, opts, m.Flags().Names(KindAck))
				}
				if repeated := bytes.Equal(a.Request, req); !capped && !repeated || capped && len(a.Request) != HeaderLen {
					t.Errorf("errno %d, %+v: repeated % x", code, opts, []byte(a.Request))
				}
				checkExtAck(t, &a, code, opts, len(req))
			}
		}
	}
}

func checkExtAck(t *testing.T, got *ExtAck, code errno.Errno, opts AckOptions, reqLen int) {
	t.Helper()
	want := &ExtAck{}
	if opts.Ext {
		want = full()
		if int(want.Offset) >= reqLen {
			want.Offset = 0
		}
		if int(want.MissNest) >= reqLen {
			want.MissNest = 0
		}
		if code == 0 {
			want = &ExtAck{Msg: want.Msg, Cookie: want.Cookie}
		}
	}
	want.Errno, want.Request = got.Errno, got.Request
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errno %d, %+v, request of %d bytes: -want +got:\n%s", code, opts, reqLen, diff)
	}
}

func TestDoneCombinations(t *testing.T) {
	for _, code := range []errno.Errno{0, enoent} {
		for _, opts := range []AckOptions{{}, {Cap: true}, {Ext: true}, {Cap: true, Ext: true}} {
			m, n := Consume(AppendDone(nil, answering(full(), code, request(20)), FlagDumpIntr, toPort(opts, 4242)))
			a, err := ParseDone(m)
			if n < 0 || err != nil || a.Errno != code || m.Flags()&(FlagMulti|FlagDumpIntr) != FlagMulti|FlagDumpIntr || m.Seq() != 7 {
				t.Fatalf("%v: errno %d, %v", m, a.Errno, err)
			}
			checkExtAck(t, &a, code, opts, 36)
		}
	}
}

// One TLV alone has 8 to 16 bytes. Such short blocks must not be lost.
func TestShortExtAckBlocks(t *testing.T) {
	e := full()
	for name, alone := range map[string]*ExtAck{
		"text": {Msg: e.Msg}, "empty text": {Msg: []byte{}}, "offset": {Offset: e.Offset}, "cookie": {Cookie: e.Cookie},
		"policy": {Policy: e.Policy}, "missing type": {MissType: e.MissType}, "missing nest": {MissNest: e.MissNest},
	} {
		want := answering(alone, einval, request(20))
		m, _ := Consume(AppendAck(nil, want, AckOptions{PortID: 1, Ext: true}))
		got, err := ParseAck(m)
		if diff := cmp.Diff(want, &got); err != nil || diff != "" {
			t.Errorf("%s alone: %v, -want +got:\n%s", name, err, diff)
		}
		if block := len(m) - 20 - 36; block < 8 || block > 16 {
			t.Errorf("%s: block of %d bytes, want 8 to 16", name, block)
		}
	}
}

func TestEmptyExtAckIsNotSent(t *testing.T) {
	if got := AppendAck(nil, &ExtAck{Errno: einval, Request: request(0)}, AckOptions{PortID: 1, Ext: true}); Msg(got).Flags() != 0 {
		t.Errorf("an empty extended ACK: flags %v", Msg(got).Flags())
	}
}

// A clone shares nothing with the message.
func TestCloneOfAnExtAck(t *testing.T) {
	m := Msg(AppendAck(nil, answering(full(), einval, request(20)), AckOptions{PortID: 1, Ext: true}))
	a, err := ParseAck(m)
	if err != nil {
		t.Fatal(err)
	}
	want, c := *answering(full(), einval, request(20)), a.Clone()
	clear(m)
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// ParseAckPayload returns the same fields as ParseAck, and offsets of errors count from the start
// of the payload.
func TestParseAckPayload(t *testing.T) {
	whole := Msg(AppendAck(nil, answering(full(), einval, request(20)), AckOptions{Ext: true}))
	for n := HeaderLen; n <= len(whole); n++ {
		m := whole[:n]
		want, wantErr := ParseAck(m)
		got, err := ParseAckPayload(m[HeaderLen:], m.Flags())
		var a, b *SyntaxError
		if errors.As(wantErr, &a) && errors.As(err, &b) {
			b.Offset += HeaderLen
		}
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) || a != nil && *a != *b {
			t.Fatalf("%d bytes: %v, want %v, -message +payload:\n%s", n, err, wantErr, diff)
		}
	}
}

// A capped answer that is read and composed again has the same bytes, including offsets.
func TestCappedAnswerIsWrittenAgain(t *testing.T) {
	m := Msg(AppendAck(nil, answering(full(), einval, request(20)), AckOptions{PortID: 1, Cap: true, Ext: true}))
	e, err := ParseAck(m)
	if err != nil || e.Offset == 0 {
		t.Fatal(e, err)
	}
	if again := AppendAck(nil, &e, AckOptions{PortID: 1, Cap: true, Ext: true}); !bytes.Equal(again, m) {
		t.Errorf("% x\nwant\n% x", again, []byte(m))
	}
}
