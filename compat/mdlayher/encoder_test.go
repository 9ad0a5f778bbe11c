package netlink_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mdlayher/netlink"
)

func encoded(t *testing.T, ae *netlink.AttributeEncoder) []byte {
	t.Helper()
	b, err := ae.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The caller owns the result of Encode: later writes do not change it.
func TestEncodedMemoryIsTheCallers(t *testing.T) {
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(1, 1)
	first := encoded(t, ae)
	before := slices.Clone(first)
	ae.Uint32(2, 2)
	ae.Nested(3, func(nae *netlink.AttributeEncoder) error { nae.Uint8(1, 1); return nil })
	second := encoded(t, ae)
	if !bytes.Equal(first, before) || !bytes.Equal(second[:len(first)], before) {
		t.Errorf("first result %x, after a write %x; second result %x", before, first, second)
	}
	clear(second[:cap(second)])
	if !bytes.Equal(first, before) {
		t.Error("two results share memory")
	}
}

// The encoder of a nest shares the buffer of the outer encoder, but only until fn returns.
func TestNestEndsWithItsFunction(t *testing.T) {
	var kept *netlink.AttributeEncoder
	ae := netlink.NewAttributeEncoder()
	ae.Nested(1, func(nae *netlink.AttributeEncoder) error {
		kept = nae
		nae.Uint32(1, 1)
		inner := encoded(t, nae)
		nae.Uint32(2, 2)
		if len(inner) != 8 || len(encoded(t, nae)) != 16 {
			t.Errorf("the nested encoder returned %x", inner)
		}
		clear(inner) // a copy
		return nil
	})
	want := slices.Clone(encoded(t, ae))
	kept.Uint32(9, 9)
	ae.Uint32(5, 5)
	if got := encoded(t, ae); !bytes.Equal(got[:len(want)], want) || len(got) != len(want)+8 || len(want) != 20 {
		t.Errorf("%x, want %x and one more attribute", got, want)
	}
	if _, err := kept.Encode(); err == nil {
		t.Error("no error from the encoder after its nest")
	}
}

// A nest above the limit is an error even if other attributes follow.
func TestNestTooLong(t *testing.T) {
	ae := netlink.NewAttributeEncoder()
	ae.Nested(1, func(nae *netlink.AttributeEncoder) error {
		for range 2 {
			nae.Bytes(1, make([]byte, 40_000))
		}
		return nil
	})
	ae.Uint8(1, 1)
	if b, err := ae.Encode(); err == nil {
		t.Errorf("%d bytes, want an error", len(b))
	}
}
