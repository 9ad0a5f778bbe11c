package nlmsg

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
)

// The round-trip test: fields and their bytes, as literals for both byte orders.
func TestHeader(t *testing.T) {
	const (
		little = "14000000 1000 0503 04030201 f1f2f3f4 03020000"
		big    = "00000014 0010 0305 01020304 f4f3f2f1 03020000"
	)
	want := golden.Native(t, little, big)
	mark := len([]byte{0xee, 0xee, 0xee, 0xee})
	b := Begin([]byte{0xee, 0xee, 0xee, 0xee}, 0x10, FlagRequest|FlagAck|FlagDump, 0x01020304, 0xf4f3f2f1)
	b = End(append(b, 3, 2, 0, 0), mark)
	if mark != 4 || !bytes.Equal(b[4:], want) {
		t.Fatalf("mark %d, % x\nwant % x", mark, b[4:], want)
	}
	m, n := Consume(want)
	if n != len(want) || cap(m) != len(m) {
		t.Fatalf("Consume = %d bytes, capacity %d of %d", n, cap(m), len(m))
	}
	if m.Type() != 0x10 || m.Flags() != FlagRequest|FlagAck|FlagDump || m.Seq() != 0x01020304 || m.PortID() != 0xf4f3f2f1 {
		t.Errorf("read back as %v", m)
	}
	if !bytes.Equal(m.Payload(), []byte{3, 2, 0, 0}) {
		t.Errorf("payload % x", m.Payload())
	}
	m.SetSeq(0xfeff0001)
	m.SetFlags(FlagMulti)
	if m.Seq() != 0xfeff0001 || m.Flags() != FlagMulti || m.Type() != 0x10 || m.PortID() != 0xf4f3f2f1 {
		t.Errorf("after SetSeq %v", m)
	}
}

func TestConsume(t *testing.T) {
	const rest = " 1000 0500 01000000 00000000" // type, flags, seq, port
	tests := []struct {
		name        string
		little, big string
		length, n   int
		err         error
	}{
		{name: "nothing", err: ErrTruncated},
		{name: "1 byte", little: "10", big: "00", err: ErrTruncated},
		{name: "15 bytes", little: "10000000 1000 0500 01000000 000000", big: "00000010 1000 0500 01000000 000000", err: ErrTruncated},
		{name: "length 0", little: "00000000" + rest, big: "00000000" + rest, err: ErrLength},
		{name: "length 1", little: "01000000" + rest, big: "00000001" + rest, err: ErrLength},
		{name: "length 3", little: "03000000" + rest, big: "00000003" + rest, err: ErrLength},
		{name: "length 15", little: "0f000000" + rest, big: "0000000f" + rest, err: ErrLength},
		{name: "length 16", little: "10000000" + rest, big: "00000010" + rest, length: 16, n: 16},
		{name: "length 17, cut", little: "11000000" + rest, big: "00000011" + rest, err: ErrOverrun},
		{name: "length 17 without padding", little: "11000000" + rest + "aa", big: "00000011" + rest + "aa", length: 17, n: 17},
		{name: "length 17, some padding", little: "11000000" + rest + "aa00", big: "00000011" + rest + "aa00", length: 17, n: 18},
		{name: "length 17, padding", little: "11000000" + rest + "aa000000", big: "00000011" + rest + "aa000000", length: 17, n: 20},
		{name: "length 17, followed by more", little: "11000000" + rest + "aa000000ff", big: "00000011" + rest + "aa000000ff", length: 17, n: 20},
		{name: "length 2^31-1", little: "ffffff7f" + rest, big: "7fffffff" + rest, err: ErrOverrun},
		{name: "length 2^31", little: "00000080" + rest, big: "80000000" + rest, err: ErrOverrun},
		{name: "length 2^32-3", little: "fdffffff" + rest, big: "fffffffd" + rest, err: ErrOverrun},
		{name: "length 2^32-1", little: "ffffffff" + rest, big: "ffffffff" + rest, err: ErrOverrun},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, n := Consume(golden.Native(t, tt.little, tt.big))
			if err := ParseError(n); err != tt.err {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if n < 0 && m == nil {
				return
			}
			if len(m) != tt.length || n != tt.n || cap(m) != len(m) {
				t.Errorf("message of %d bytes (capacity %d), %d in all; want %d, %d", len(m), cap(m), n, tt.length, tt.n)
			}
		})
	}
}

func TestAll(t *testing.T) {
	one := func(b []byte, payload ...byte) []byte {
		mark := len(b)
		b = Begin(b, 0x10, 0, 1, 0)
		return End(append(b, payload...), mark)
	}
	two := one(one(nil, 1, 2, 3, 4), 5)
	tests := []struct {
		name   string
		in     []byte
		count  int
		offset int
		err    error
	}{
		{"nothing", nil, 0, 0, nil},
		{"two", two, 2, 0, nil},
		{"the last one without padding", two[:37], 2, 0, nil},
		{"the last one cut", two[:36], 1, 20, ErrOverrun},
		{"followed by 15 bytes", append(bytes.Clone(two), make([]byte, 15)...), 2, 40, ErrTruncated},
		{"followed by 1 byte", append(bytes.Clone(two), 0), 2, 40, ErrTruncated},
		{"followed by zeros", append(bytes.Clone(two), make([]byte, 16)...), 2, 40, ErrLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var count int
			var last error
			for m, err := range All(tt.in) {
				if err != nil {
					last = err
					continue
				}
				count += len(m[:1])
			}
			if count != tt.count || !errors.Is(last, tt.err) {
				t.Fatalf("%d messages, error %v; want %d, %v", count, last, tt.count, tt.err)
			}
			var syntax *SyntaxError
			if tt.err != nil && (!errors.As(last, &syntax) || syntax.Offset != tt.offset) {
				t.Errorf("error %v, want offset %d", last, tt.offset)
			}
		})
	}
	for range All(two) {
		break // must stop the iterator
	}
}

func TestAttrs(t *testing.T) {
	b := Begin(nil, 0x10, 0, 1, 0)
	b = append(b, 1, 2, 3, 4, 5, 0, 0, 0) // a fixed header of 5 bytes, padded
	b = End(nla.AppendUint32(b, 1, 7), 0)
	m, _ := Consume(b)
	for hdrlen, want := range map[int]int{0: 16, 1: 12, 4: 12, 5: 8, 8: 8, 12: 4, 16: 0, 17: 0, 1 << 20: 0} {
		if got := len(m.Attrs(hdrlen)); got != want {
			t.Errorf("Attrs(%d) has %d bytes, want %d", hdrlen, got, want)
		}
	}
	if v, err := nla.Find(m.Attrs(5), 1).Uint32(); v != 7 || err != nil {
		t.Errorf("attribute = %d, %v", v, err)
	}
	if got := Msg(b[:3]).Attrs(0); got != nil {
		t.Errorf("Attrs of 3 bytes = % x", got)
	}
}

func TestAccessorsAreSafeOnAnySlice(t *testing.T) {
	for n := range HeaderLen {
		m := Msg(bytes.Repeat([]byte{0xff}, n))
		m.SetSeq(7)
		m.SetFlags(FlagAck)
		if m.Type() != 0 || m.Flags() != 0 || m.Seq() != 0 || m.PortID() != 0 || m.Payload() != nil || m.Attrs(4) != nil {
			t.Errorf("%d bytes: %v", n, m)
		}
	}
}

func TestEndPadsRawBytes(t *testing.T) {
	for n := range 9 {
		dirty := bytes.Repeat([]byte{0xff}, 64)
		b := Begin(dirty[:0], 0x10, 0, 1, 2)
		b = End(append(b, make([]byte, n)...), 0)
		if m, size := Consume(b); len(m) != HeaderLen+n || size != len(b) || len(b)%AlignTo != 0 {
			t.Errorf("%d bytes of payload: message %d, with padding %d of %d", n, len(m), size, len(b))
		}
		for _, c := range b[HeaderLen:] {
			if c != 0 {
				t.Errorf("%d bytes of payload: padding not zero: % x", n, b)
			}
		}
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	mark := len([]byte{1, 2, 3, 4})
	b := Begin([]byte{1, 2, 3, 4}, 0x10, 0, 0, 0)
	if b = b[:mark]; !bytes.Equal(b, []byte{1, 2, 3, 4}) {
		t.Errorf("after the cancel % x", b)
	}
}

func TestCloneOutlivesTheBuffer(t *testing.T) {
	b := Begin(nil, 0x10, FlagRequest, 7, 0)
	b = End(b, 0)
	m, _ := Consume(b)
	kept := m.Clone()
	clear(b)
	if kept.Seq() != 7 {
		t.Errorf("clone %v", kept)
	}
}

func TestStrings(t *testing.T) {
	for typ, want := range map[Type]string{TypeNoop: "noop", TypeError: "error", TypeDone: "done", TypeOverrun: "overrun", 0: "0x0", 5: "0x5", 0x10: "0x10", 0xffff: "0xffff"} {
		if got := typ.String(); got != want {
			t.Errorf("Type %d = %q, want %q", typ, got, want)
		}
	}
	tests := []struct {
		flags Flags
		kind  Kind
		want  string
	}{
		{0, KindUnknown, "0"},
		{FlagRequest | FlagAck, KindUnknown, "request|ack"},
		{FlagRequest | FlagDump, KindUnknown, "request|0x300"},
		{FlagRequest | FlagDump, KindGet, "request|dump"},
		{FlagRequest | FlagRoot, KindGet, "request|root"},
		{FlagRequest | FlagMatch | FlagAtomic, KindGet, "request|match|atomic"},
		{FlagRequest | FlagCreate | FlagExcl, KindNew, "request|excl|create"},
		{FlagRequest | FlagReplace | FlagAppend | FlagEcho, KindNew, "request|echo|replace|append"},
		{FlagRequest | FlagNonRec | FlagBulk, KindDelete, "request|nonrec|bulk"},
		{FlagCapped | FlagAckTLVs, KindAck, "capped|ack-tlvs"},
		{FlagMulti | FlagDumpIntr | FlagDumpFiltered, KindAck, "multi|dump-intr|dump-filtered"},
		{0xf0c0, KindGet, "0xf0c0"},
		{FlagRequest | 0x8000, KindAck, "request|0x8000"},
		{FlagRequest, 99, "request"},
	}
	for _, tt := range tests {
		if got := tt.flags.Names(tt.kind); got != tt.want {
			t.Errorf("Flags %#x of kind %d = %q, want %q", uint16(tt.flags), tt.kind, got, tt.want)
		}
	}
	if got := (FlagRequest | FlagDump).String(); got != "request|0x300" {
		t.Errorf("String = %q", got)
	}
	b := Begin(nil, TypeError, FlagCapped, 7, 4242)
	m, _ := Consume(End(b, 0))
	if got, want := m.String(), "len 16 type error flags capped seq 7 port 4242"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func TestSyntaxErrorText(t *testing.T) {
	for _, err := range All([]byte{1, 2}) {
		if got, want := err.Error(), "nlmsg: message cut short at offset 0"; got != want {
			t.Errorf("text %q, want %q", got, want)
		}
	}
}

// Recorded datagrams are well-formed, and copying message by message reproduces them.
func TestRecordedDatagrams(t *testing.T) {
	for name, want := range map[string]int{"families": 15, "links": 19, "routes": 485} {
		var count int
		for _, d := range golden.Datagrams(t, name) {
			var again []byte
			for m, err := range All(d) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				count++
				mark := len(again)
				again = Begin(again, m.Type(), m.Flags(), m.Seq(), m.PortID())
				again = End(append(again, m.Payload()...), mark)
			}
			if diff := cmp.Diff(d, again); diff != "" {
				t.Fatalf("%s: -recorded +copied:\n%s", name, diff)
			}
		}
		if count < want {
			t.Errorf("%s: %d messages, want %d or more", name, count, want)
		}
	}
}

// A mark that is not the mark of a message panics, and nothing is written past the end.
func TestEndOfAWrongMark(t *testing.T) {
	for name, end := range map[string]func(b []byte){
		"canceled":      func(b []byte) { End(b[:8], 8) },
		"past the end":  func(b []byte) { End(b[:8], 17) },
		"half a header": func(b []byte) { End(b[:16], 8) },
	} {
		t.Run(name, func(t *testing.T) {
			b := make([]byte, 32)
			defer func() {
				if recover() == nil || !bytes.Equal(b, make([]byte, 32)) {
					t.Errorf("no panic, or written: % x", b)
				}
			}()
			end(b)
		})
	}
}

// A buffer with a capacity computed with Align has space for the padding, and bytes after it stay
// unchanged.
func TestEndPadsInPlace(t *testing.T) {
	for payload := range 9 {
		size := Align(HeaderLen + payload)
		buf := bytes.Repeat([]byte{0xee}, size+8)
		m := len(buf[:0:size])
		b := Begin(buf[:0:size], 1, 0, 0, 0)
		b = End(append(b, make([]byte, payload)...), m)
		if len(b) != size || &b[0] != &buf[0] || !bytes.Equal(buf[size:], bytes.Repeat([]byte{0xee}, 8)) {
			t.Errorf("payload of %d bytes: %d, in place %v, followed by % x", payload, len(b), &b[0] == &buf[0], buf[size:])
		}
		b = Begin(buf[:0], 1, 0, 0, 0)
		End(append(b, make([]byte, payload)...), 0)
		if !bytes.Equal(buf[size:], bytes.Repeat([]byte{0xee}, 8)) {
			t.Errorf("payload of %d bytes: followed by % x", payload, buf[size:])
		}
	}
}

// The loop body may overwrite a message, including its length.
func TestAllGoesOnBehindWhatWasOverwritten(t *testing.T) {
	var b []byte
	for seq := range uint32(3) {
		mark := len(b)
		start := Begin(b, MinType, FlagRequest, seq, 0)
		b = End(append(start, 1, 2, 3, 4), mark)
	}
	var seqs []uint32
	for m, err := range All(b) {
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, m.Seq())
		clear(m)
	}
	if want := []uint32{0, 1, 2}; !slices.Equal(seqs, want) {
		t.Errorf("sequence numbers %d, want %d", seqs, want)
	}
}

func TestHeaderOfAMessage(t *testing.T) {
	m := Msg(End(append(Begin(nil, 0x20, FlagRequest|FlagAck, 7, 4242), 1, 2, 3), 0))
	if got, want := m.Header(), (Header{19, 0x20, FlagRequest | FlagAck, 7, 4242}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for n := range HeaderLen {
		if got := m[:n].Header(); got != (Header{}) {
			t.Errorf("%d bytes: %+v", n, got)
		}
	}
}
