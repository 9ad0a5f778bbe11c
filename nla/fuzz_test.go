package nla

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/internal/native"
)

// slowWalk is the kernel's loop as it stands in include/net/netlink.h, with
// its signed remainder: it shares nothing with Consume. It returns the type and
// payload of each attribute and what is left over.
func slowWalk(b []byte) (types []uint16, payloads [][]byte, rem int) {
	var pos int
	rem = len(b)
	u16 := func(at int) int {
		if native.BigEndian {
			return int(b[at])<<8 | int(b[at+1])
		}
		return int(b[at+1])<<8 | int(b[at])
	}
	for rem >= 4 && u16(pos) >= 4 && u16(pos) <= rem { // nla_ok
		n := u16(pos)
		types = append(types, uint16(u16(pos+2)&0x3fff))
		payloads = append(payloads, b[pos+4:pos+n])
		pos += (n + 3) / 4 * 4 // nla_next
		rem -= (n + 3) / 4 * 4
	}
	return types, payloads, rem
}

// FuzzAttributes holds Consume, All and Find to the kernel's loop: the same
// attributes, the same leftover, offsets inside the input, and the same bytes
// when everything read is appended again.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(AppendCString(AppendUint32(nil, 1, 7), 2, "eth0")[:17])
	f.Fuzz(func(t *testing.T, b []byte) {
		types, payloads, rem := slowWalk(b)
		for name, walk := range map[string]func([]byte) walked{"All": walkAll, "Consume": walkConsume} {
			w := walk(b)
			if len(w.Types) != len(types) || (w.Err != nil) != (rem > 0) {
				t.Fatalf("%s: %d attributes, error %v; the kernel's loop: %d, %d bytes left", name, len(w.Types), w.Err, len(types), rem)
			}
			if w.Err != nil && w.Offset != len(b)-rem {
				t.Fatalf("%s: error at %d, the kernel stops at %d", name, w.Offset, len(b)-rem)
			}
		}
		var i int
		var again []byte
		for a, err := range All(b) {
			if err != nil {
				break
			}
			if a.Type() != types[i] || !bytes.Equal(a.Payload(), payloads[i]) || cap(a) != len(a) {
				t.Fatalf("attribute %d: type %d, payload % x", i, a.Type(), a.Payload())
			}
			if first := Find(b, a.Type()); first.Type() != a.Type() {
				t.Fatalf("Find(%d) = % x", a.Type(), []byte(first))
			}
			again = AppendAttr(again, a)
			i++
		}
		checkCopy(t, again, b)
	})
}

// checkCopy compares a stream read and written again with the original, whose
// padding may be anything, or missing at the end.
func checkCopy(t *testing.T, again, b []byte) {
	t.Helper()
	if len(again)%AlignTo != 0 || len(again) > Align(len(b)) {
		t.Fatalf("%d bytes from %d", len(again), len(b))
	}
	types, payloads, rem := slowWalk(again)
	wantTypes, wantPayloads, _ := slowWalk(b)
	if rem != 0 || len(types) != len(wantTypes) {
		t.Fatalf("the copy has %d attributes and %d bytes left, want %d and none", len(types), rem, len(wantTypes))
	}
	for i := range payloads {
		if types[i] != wantTypes[i] || !bytes.Equal(payloads[i], wantPayloads[i]) {
			t.Fatalf("attribute %d differs in the copy", i)
		}
	}
}

// FuzzGetters reads one payload as every kind. What a getter accepts, its
// Append function writes back as the same bytes.
func FuzzGetters(f *testing.F) {
	for size := range 13 {
		f.Add(uint16(1), make([]byte, size))
	}
	f.Add(uint16(0xffff), []byte("eth0\x00"))
	f.Fuzz(func(t *testing.T, typ uint16, payload []byte) {
		if len(payload) > MaxPayload {
			t.Skip("no attribute has such a payload")
		}
		in := AppendBytes(nil, typ, payload)
		a, n := Consume(in)
		if n != len(in) || !bytes.Equal(a.Payload(), payload) || a.Type() != typ&TypeMask {
			t.Fatalf("Consume = %d of %d bytes, type %d", n, len(in), a.Type())
		}
		for name, k := range map[string]func(Attr) ([]byte, error){
			"Uint8":      func(a Attr) ([]byte, error) { v, err := a.Uint8(); return AppendUint8(nil, typ, v), err },
			"Uint16":     func(a Attr) ([]byte, error) { v, err := a.Uint16(); return AppendUint16(nil, typ, v), err },
			"Uint32":     func(a Attr) ([]byte, error) { v, err := a.Uint32(); return AppendUint32(nil, typ, v), err },
			"Uint64":     func(a Attr) ([]byte, error) { v, err := a.Uint64(); return AppendUint64(nil, typ, v), err },
			"Int8":       func(a Attr) ([]byte, error) { v, err := a.Int8(); return AppendInt8(nil, typ, v), err },
			"Int16":      func(a Attr) ([]byte, error) { v, err := a.Int16(); return AppendInt16(nil, typ, v), err },
			"Int32":      func(a Attr) ([]byte, error) { v, err := a.Int32(); return AppendInt32(nil, typ, v), err },
			"Int64":      func(a Attr) ([]byte, error) { v, err := a.Int64(); return AppendInt64(nil, typ, v), err },
			"BE16":       func(a Attr) ([]byte, error) { v, err := a.BE16(); return AppendBE16(nil, typ, v), err },
			"BE32":       func(a Attr) ([]byte, error) { v, err := a.BE32(); return AppendBE32(nil, typ, v), err },
			"BE64":       func(a Attr) ([]byte, error) { v, err := a.BE64(); return AppendBE64(nil, typ, v), err },
			"Bitfield32": func(a Attr) ([]byte, error) { v, err := a.Bitfield32(); return AppendBitfield32(nil, typ, v), err },
			"Msecs":      func(a Attr) ([]byte, error) { v, err := a.Msecs(); return AppendMsecs(nil, typ, v), err },
			"Flag":       func(a Attr) ([]byte, error) { _, err := a.Flag(); return AppendFlag(nil, typ), err },
		} {
			if out, err := k(a); err == nil && !bytes.Equal(out, in) {
				t.Errorf("%s: read % x, wrote % x", name, in, out)
			}
		}
		checkVariable(t, a)
	})
}

// checkVariable checks the kinds whose encoding is not the only one.
func checkVariable(t *testing.T, a Attr) {
	t.Helper()
	if v, err := a.Uint(); err == nil {
		b, _ := Consume(AppendUint(nil, 1, v))
		if again, err := b.Uint(); again != v || err != nil {
			t.Errorf("Uint %d, again %d, %v", v, again, err)
		}
	}
	if v, err := a.Sint(); err == nil {
		b, _ := Consume(AppendSint(nil, 1, v))
		if again, err := b.Sint(); again != v || err != nil {
			t.Errorf("Sint %d, again %d, %v", v, again, err)
		}
	}
	if v, err := a.CString(); err == nil && len(v) >= len(a.Payload()) {
		t.Errorf("CString %q of % x includes the NUL", v, a.Payload())
	}
	if v, err := a.Text(); err == nil && len(a.Payload())-len(v) > 1 {
		t.Errorf("Text %q of % x lost more than a NUL", v, a.Payload())
	}
}
