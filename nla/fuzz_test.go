package nla

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
)

// FuzzAttributes compares Consume, All, Walk and Reader with the kernel's loop: the same
// attributes at the same offsets, the same leftover bytes, error offsets inside the input, steps
// of at least 4 bytes, at most one error value, and the same bytes when every attribute is
// appended again. It also checks Find.
func FuzzAttributes(f *testing.F) {
	seeds.Fuzz(f, append(seeds.Attributes(), seeds.Recorded()...), func(t *testing.T, b []byte) {
		want, rem := slow.Walk(b)
		checkWalk(t, "All", b, walkAll(b), want, rem)
		checkWalk(t, "Consume", b, walkConsume(b), want, rem)
		checkWalk(t, "Cursor", b, walkCursor(b), want, rem)
		checkWalk(t, "Reader", b, walkReader(b), want, rem)
		checkCursor(t, b)
		checkPlaces(t, b, want)
		guard.Memory(t, b, 64, func() {
			for range All(b) {
			}
			Find(b, TypeMask)
		})
	})
}

// checkWalk compares a walk with the slow one, which left rem bytes over.
func checkWalk(t *testing.T, name string, b []byte, w walked, want []slow.Attr, rem int) {
	t.Helper()
	if len(w.Types) != len(want) || (w.Err != nil) != (rem > 0) {
		t.Fatalf("%s: %d attributes, error %v; the kernel's loop: %d, %d bytes left", name, len(w.Types), w.Err, len(want), rem)
	}
	if w.Err != nil && (w.Offset != len(b)-rem || w.Err != slowReason(b[len(b)-rem:])) {
		t.Fatalf("%s: %v at %d, the kernel stops at %d", name, w.Err, w.Offset, len(b)-rem)
	}
	if steps := len(w.Types); steps > len(b)/AlignTo {
		t.Fatalf("%s: %d steps in %d bytes", name, steps, len(b))
	}
	for i, typ := range w.Types {
		if typ != want[i].Type {
			t.Fatalf("%s: attribute %d has type %d, want %d", name, i, typ, want[i].Type)
		}
	}
}

// slowReason returns the error for the bytes at which a walk stopped.
func slowReason(rest []byte) error {
	length := 0
	for i := range min(len(rest), 2) {
		digit := int(rest[i])
		if native.BigEndian == (i == 0) {
			digit *= 256
		}
		length += digit
	}
	switch {
	case len(rest) < 4:
		return ErrTruncated
	case length < 4:
		return ErrLength
	}
	return ErrOverrun
}

// checkPlaces checks that each attribute is a view of its own bytes, that Find returns the first
// attribute of a type, and that a copy contains all attributes.
func checkPlaces(t *testing.T, b []byte, want []slow.Attr) {
	t.Helper()
	first := map[uint16]int{}
	var i int
	var again []byte
	for a, err := range All(b) {
		if err != nil {
			break
		}
		w := want[i]
		if &a[0] != &b[w.At] || len(a) != HeaderLen+len(w.Payload) || cap(a) != len(a) || !bytes.Equal(a.Payload(), w.Payload) {
			t.Fatalf("attribute %d: % x of capacity %d, want % x at %d", i, []byte(a), cap(a), w.Payload, w.At)
		}
		if _, ok := first[w.Type]; !ok {
			first[w.Type] = w.At
		}
		if found := Find(b, w.Type); &found[0] != &b[first[w.Type]] {
			t.Fatalf("Find(%d) = % x, want the attribute at %d", w.Type, []byte(found), first[w.Type])
		}
		if again = AppendAttr(again, a); i > 200 {
			return // calling Find for every attribute takes quadratic time
		}
		i++
	}
	if _, ok := first[TypeMask]; !ok && Find(b, TypeMask) != nil {
		t.Fatal("Find returned an attribute of an absent type")
	}
	checkCopy(t, again, b)
}

// checkCopy compares a stream that was read and written again with the original. The original's
// padding may have any content and may be absent at the end.
func checkCopy(t *testing.T, again, b []byte) {
	t.Helper()
	if len(again)%AlignTo != 0 || len(again) > Align(len(b)) {
		t.Fatalf("%d bytes from %d", len(again), len(b))
	}
	got, rem := slow.Walk(again)
	want, _ := slow.Walk(b)
	if rem != 0 || len(got) != len(want) {
		t.Fatalf("the copy has %d attributes and %d bytes left, want %d and none", len(got), rem, len(want))
	}
	for i := range got {
		if got[i].Type != want[i].Type || !bytes.Equal(got[i].Payload, want[i].Payload) {
			t.Fatalf("attribute %d differs in the copy", i)
		}
	}
}

// checkCursor moves a cursor past the end and past malformed attributes: it stays inside b, and
// its methods are consistent.
func checkCursor(t *testing.T, b []byte) {
	t.Helper()
	c := Walk(b)
	for range len(b) + 2 {
		if a := c.Attr(); (a != nil) != c.More() || a.Type() != c.Type() || c.len() > len(b) || c.More() && c.Err() != nil {
			t.Fatalf("% x: attribute % x, more %v, type %d, %d bytes left, %v", b, []byte(a), c.More(), c.Type(), c.len(), c.Err())
		}
		c = c.Next()
	}
}
