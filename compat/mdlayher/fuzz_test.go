package netlink

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
)

// FuzzDecoder reads a stream with all getters. None of them panics, and AttributeDecoder and
// UnmarshalAttributes agree.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{8, 0, 1, 0, 1, 2, 3, 4, 5, 0, 2, 0x80, 9, 0, 0, 0})
	f.Add([]byte{0, 0, 1, 0, 12, 0, 2, 0x80, 8, 0, 1, 0, 1, 2, 3, 4, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		attrs, err := UnmarshalAttributes(b)
		ad, newErr := NewAttributeDecoder(b)
		if newErr != nil {
			if err == nil {
				t.Fatal("UnmarshalAttributes accepts it, NewAttributeDecoder returns: ", newErr)
			}
			return
		}
		var read []Attribute
		for ad.Next() {
			if ne.Uint16(ad.attr()) != 0 {
				read = append(read, Attribute{ne.Uint16(ad.attr()), ad.Type() | ad.TypeFlags(), ad.Bytes()})
			}
		}
		if (err == nil) != (ad.Err() == nil) {
			t.Fatal(err, ad.Err())
		}
		for i := range attrs {
			a, r := attrs[i], read[i]
			if a.Length != r.Length || a.Type != r.Type || !bytes.Equal(a.Data, r.Data) {
				t.Fatalf("UnmarshalAttributes %+v, AttributeDecoder %+v", a, r)
			}
		}
		getters := []func(*AttributeDecoder){
			func(ad *AttributeDecoder) { ad.Uint8() }, func(ad *AttributeDecoder) { ad.Uint16() },
			func(ad *AttributeDecoder) { ad.Uint32() }, func(ad *AttributeDecoder) { ad.Uint64() },
			func(ad *AttributeDecoder) { ad.Flag() }, func(ad *AttributeDecoder) { _ = ad.String() },
			func(ad *AttributeDecoder) {
				ad.Nested(func(nad *AttributeDecoder) error { nad.Next(); nad.Int32(); return nil })
			},
		}
		for _, get := range getters {
			ad, _ := NewAttributeDecoder(b)
			for get(ad); ad.Next(); {
				get(ad)
			}
		}
		if !bytes.Equal(b, before) {
			t.Fatal("the stream has changed")
		}
	})
}

// FuzzMessages splits a datagram into messages, then checks and formats each of them. Nothing panics,
// and encoding restores the same bytes.
func FuzzMessages(f *testing.F) {
	m := Message{Header: Header{Length: 44, Type: Error, Flags: Capped | AcknowledgeTLVs}, Data: []byte{
		0xea, 0xff, 0xff, 0xff, 40, 0, 0, 0, 0, 0, 5, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7, 0, 1, 0, 'n', 'o', 0, 0}}
	f.Add(m.append(nil))
	// A message with padding, and one after it.
	f.Add(m.append(append([]byte{30, 0, 0, 0}, make([]byte, 28)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for m, err := range parseMessagesIter(b) {
			if err != nil {
				return
			}
			_ = checkMessage(m)
			nlmsgFprintf(new(bytes.Buffer), m, true)
			size := nlmsg.Align(int(m.Header.Length))
			if int(m.Header.Length) == size { // MarshalBinary refuses other lengths
				if again, err := m.MarshalBinary(); err != nil || !bytes.Equal(again, b[:size]) {
					t.Fatalf("%x was encoded as %x, %v", b, again, err)
				}
			}
			b = b[size:]
		}
	})
}
