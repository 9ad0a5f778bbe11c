package nl

import (
	"bytes"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	original "github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
)

// body makes attributes with payloads of up to 12 bytes. One body in three is corrupted or
// truncated. More bytes follow in its capacity, as in a datagram.
func body(r *rand.Rand) []byte {
	var b []byte
	for range r.IntN(12) {
		b = nla.AppendBytes(b, uint16(r.IntN(1<<16)), make([]byte, r.IntN(13)))
	}
	switch {
	case len(b) == 0:
	case r.IntN(6) == 0:
		b[r.IntN(len(b))] = byte(r.IntN(40))
	case r.IntN(6) == 0:
		b = b[:r.IntN(len(b))]
	}
	return append(b, make([]byte, 8)...)[:len(b)]
}

func TestParseRouteAttrLikeOriginal(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	errors := 0
	for range 20_000 {
		b := body(r)
		got, err := ParseRouteAttr(b)
		want, wantErr, panicked := parseOriginal(b)
		if panicked { // at a last attribute without padding
			if err != nil || len(got) == 0 {
				t.Fatalf("% x: %d attributes, error %v; the original panics", b, len(got), err)
			}
			continue
		}
		if err != wantErr || !reflect.DeepEqual(got, want) {
			t.Fatalf("% x:\ngot  %v, %v\nwant %v, %v", b, got, err, want, wantErr)
		}
		for i := range got {
			if cap(got[i].Value) != cap(want[i].Value) {
				t.Fatalf("% x: value %d has capacity %d, want %d", b, i, cap(got[i].Value), cap(want[i].Value))
			}
		}
		if err != nil {
			errors++
		}
		checkMap(t, b, got, err)
	}
	if errors == 0 {
		t.Error("no malformed body was tried")
	}
}

// checkMap compares ParseRouteAttrAsMap with the result of ParseRouteAttr.
func checkMap(t *testing.T, b []byte, attrs []syscall.NetlinkRouteAttr, err error) {
	t.Helper()
	m, mapErr := ParseRouteAttrAsMap(b)
	want := map[uint16]syscall.NetlinkRouteAttr{}
	for _, a := range attrs {
		want[a.Attr.Type] = a
	}
	if err != nil {
		want = nil
	}
	if mapErr != err || !reflect.DeepEqual(m, want) {
		t.Fatalf("% x: map %v, %v, want %v, %v", b, m, mapErr, want, err)
	}
}

func parseOriginal(b []byte) (attrs []syscall.NetlinkRouteAttr, err error, panicked bool) {
	defer func() { panicked = recover() != nil }()
	attrs, err = original.ParseRouteAttr(b)
	return attrs, err, false
}

// TestParseUnpadded parses a last attribute without padding. The original panics.
func TestParseUnpadded(t *testing.T) {
	b := nla.AppendUint8(nil, 1, 7)
	b = b[:5:5]
	attrs, err := ParseRouteAttr(b)
	if err != nil || len(attrs) != 1 || !bytes.Equal(attrs[0].Value, []byte{7}) {
		t.Errorf("%v, %v", attrs, err)
	}
	if attrs, err := ParseRouteAttr([]byte{3, 0, 0, 0}); err != unix.EINVAL || attrs != nil {
		t.Errorf("length of 3: %v, %v, want EINVAL", attrs, err)
	}
}

func TestParseAttributes(t *testing.T) {
	b := nla.AppendUint32(nil, 1, 7)
	b = nla.AppendBE32(b, 2|nla.NetByteOrder, 8)
	b = nla.AppendBE64(b, 3|nla.NetByteOrder, 9)
	b = nla.AppendUint8(b, 4, 1)
	var types []uint16
	values := map[uint16]uint64{}
	for a := range ParseAttributes(b) {
		types = append(types, a.Type&nla.TypeMask)
		if len(a.Value) == 8 {
			values[a.Type&nla.TypeMask] = a.Uint64()
		} else {
			values[a.Type&nla.TypeMask] = uint64(a.Uint32()) // 0 of the single byte
		}
	}
	if want := []uint16{1, 2, 3, 4}; !slices.Equal(types, want) {
		t.Errorf("types %v, want %v", types, want)
	}
	if want := map[uint16]uint64{1: 7, 2: 8, 3: 9, 4: 0}; !maps.Equal(values, want) {
		t.Errorf("values %v, want %v", values, want)
	}
	for range ParseAttributes(b) {
		break // TestMain reports a goroutine that does not end
	}
}

func TestParseAttributesMalformed(t *testing.T) {
	var text strings.Builder
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	b := append(nla.AppendUint32(nil, 1, 7), 200, 0, 2, 0)
	n := 0
	for range ParseAttributes(b) {
		n++
	}
	if n != 1 || !strings.Contains(text.String(), "past the end") {
		t.Errorf("%d attributes, log %q", n, text.String())
	}
}

func TestBytesToString(t *testing.T) {
	for in, want := range map[string]string{"eth0\x00\x00": "eth0", "\x00": "", "eth0": "eth0", "": ""} {
		if got := BytesToString([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNativeEndian(t *testing.T) {
	if got, want := NativeEndian(), original.NativeEndian(); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
