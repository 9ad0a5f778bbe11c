package improvements

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
)

// Hashes of the original's results for many calls.
const (
	decodeTranscript  = "71cf8c01b771c425"
	encodeTranscript  = "c2754cbf26129c1b"
	messageTranscript = "32ebb0a14fcb7102"
)

// compare runs f many times with a fixed random seed. It compares the hash of the bytes that f wrote.
func compare(t *testing.T, want string, f func(r *rand.Rand, w hash.Hash)) {
	t.Helper()
	if ne.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the hashes are valid for little-endian machines only")
	}
	r, w := rand.New(rand.NewPCG(1, 2)), sha256.New()
	for range 20_000 {
		f(r, w)
	}
	if got := fmt.Sprintf("%x", w.Sum(nil)[:8]); got != want {
		t.Errorf("hash %s, want the original's %s", got, want)
	}
}

// foreign is a byte order of the caller. No implementation has a special case for it.
type foreign struct{ binary.ByteOrder }

var orders = []binary.ByteOrder{binary.NativeEndian, binary.BigEndian, binary.LittleEndian, foreign{binary.BigEndian}}

// stream returns random attributes. Some of them are malformed, and some are nests.
func stream(r *rand.Rand, depth int) (b []byte) {
	for range r.IntN(6) {
		payload := make([]byte, []int{0, 1, 2, 3, 4, 4, 4, 8, 8, 9, 16}[r.IntN(11)])
		for i := range payload {
			payload[i] = byte(r.IntN(4))
		}
		if depth > 0 && r.IntN(3) == 0 {
			payload = stream(r, depth-1)
		}
		a := attr(uint16(r.IntN(8)|r.IntN(4)<<14), payload)
		if r.IntN(20) == 0 {
			ne.PutUint16(a, uint16(r.IntN(12)))
		}
		b = append(b, a...)
	}
	if r.IntN(10) == 0 {
		b = b[:r.IntN(len(b)+1)]
	}
	return b
}

// decode writes the results of random calls of a decoder.
func decode(r *rand.Rand, w hash.Hash, ad *netlink.AttributeDecoder) {
	fmt.Fprint(w, ad.Len(), ad.Type(), ad.Err())
	for ad.Next() {
		if r.IntN(8) == 0 {
			ad.ByteOrder = orders[r.IntN(len(orders))]
		}
		fmt.Fprint(w, ad.Type(), ad.TypeFlags(), ad.Bytes(), ad.Bytes() == nil)
		for range r.IntN(3) {
			call(r, w, ad)
		}
	}
	fmt.Fprint(w, ad.Err(), ad.Next())
	if ad.Err() == nil {
		fmt.Fprint(w, ad.Type(), ad.Bytes()) // still the last attribute
	}
	call(r, w, ad)
}

func call(r *rand.Rand, w hash.Hash, ad *netlink.AttributeDecoder) {
	n := len(ad.Bytes())
	fits := r.IntN(12) != 0 // usually choose a getter for this length
	switch k := r.IntN(12); {
	case k == 0 || fits && n == 0:
		fmt.Fprint(w, "flag", ad.Flag())
	case k == 1 || fits && n == 1:
		fmt.Fprint(w, "8", ad.Uint8(), ad.Int8())
	case k == 2 || fits && n == 2:
		fmt.Fprint(w, "16", ad.Uint16(), ad.Int16())
	case k == 3 || fits && n == 4:
		fmt.Fprint(w, "32", ad.Uint32(), ad.Int32())
	case k == 4 || fits && n == 8:
		fmt.Fprint(w, "64", ad.Uint64(), ad.Int64())
	case k < 7:
		fmt.Fprint(w, "string", ad.String())
	case k == 7:
		ad.Do(func(b []byte) error {
			fmt.Fprint(w, "do", b, b == nil)
			return []error{nil, nil, nil, errors.New("of the caller")}[r.IntN(4)]
		})
	default:
		ad.Nested(func(nad *netlink.AttributeDecoder) error {
			decode(r, w, nad)
			return nil
		})
	}
}

func TestDecoderIsTheSame(t *testing.T) {
	compare(t, decodeTranscript, func(r *rand.Rand, w hash.Hash) {
		b := stream(r, 3)
		attrs, err := netlink.UnmarshalAttributes(b)
		fmt.Fprint(w, attrs == nil, attrs, err)
		ad, err := netlink.NewAttributeDecoder(b)
		if fmt.Fprint(w, ad == nil, err); err == nil {
			decode(r, w, ad)
		}
	})
}

// encode writes random attributes.
func encode(r *rand.Rand, ae *netlink.AttributeEncoder, depth int) {
	for range r.IntN(8) {
		typ, v := uint16(r.Uint32()), r.Uint64()
		switch r.IntN(14) {
		case 0:
			ae.Uint8(typ, uint8(v))
		case 1:
			ae.Uint16(typ, uint16(v))
		case 2:
			ae.Uint32(typ, uint32(v))
		case 3:
			ae.Uint64(typ, v)
		case 4:
			ae.Int8(typ, int8(v))
		case 5:
			ae.Int16(typ, int16(v))
		case 6:
			ae.Int32(typ, int32(v))
		case 7:
			ae.Int64(typ, int64(v))
		case 8:
			ae.Flag(typ, v&1 == 0)
		case 9:
			ae.String(typ, string(make([]byte, v%40)))
		case 10:
			ae.Bytes(typ, nlenc.Uint64Bytes(v)[:v%9])
		case 11:
			ae.ByteOrder = orders[v%uint64(len(orders))]
		case 12:
			ae.Do(typ, func() ([]byte, error) {
				if v%50 == 0 {
					return nil, errors.New("of the caller")
				}
				if v%51 == 0 {
					return make([]byte, 1<<16), nil
				}
				return make([]byte, v%20), nil
			})
		default:
			if depth == 0 {
				continue
			}
			ae.Nested(typ, func(nae *netlink.AttributeEncoder) error {
				encode(r, nae, depth-1)
				if v%10 == 0 {
					ae.Uint32(1, 2) // added before the nest, not in it
				}
				if v%60 == 0 {
					return errors.New("of the caller")
				}
				return nil
			})
		}
	}
}

func TestEncoderIsTheSame(t *testing.T) {
	compare(t, encodeTranscript, func(r *rand.Rand, w hash.Hash) {
		ae := netlink.NewAttributeEncoder()
		for range 2 {
			encode(r, ae, 3)
			b, err := ae.Encode()
			fmt.Fprint(w, b, b == nil, err)
			again, _ := ae.Encode()
			if string(again) != string(b) {
				t.Error("the second Encode returned another result")
			}
		}
	})
}

func TestMessagesAreTheSame(t *testing.T) {
	compare(t, messageTranscript, func(r *rand.Rand, w hash.Hash) {
		m := netlink.Message{Header: netlink.Header{
			Length: uint32(r.IntN(48)), Type: netlink.HeaderType(r.IntN(6)), Flags: netlink.HeaderFlags(r.Uint32()),
			Sequence: r.Uint32N(3), PID: r.Uint32N(3)}, Data: make([]byte, r.IntN(24))}
		if r.IntN(2) == 0 {
			m.Header.Length = uint32(16+len(m.Data)+3) &^ 3
		}
		b, err := m.MarshalBinary()
		fmt.Fprint(w, b, err, m.Header.Type.String(), m.Header.Flags.String())
		if len(b) > 0 {
			b[0] += byte(r.IntN(3))
			b = b[:len(b)-r.IntN(3)]
		}
		var got netlink.Message
		err = got.UnmarshalBinary(b)
		fmt.Fprint(w, err)
		if err == nil {
			fmt.Fprint(w, got.Header, got.Data, got.Data == nil)
		}
		fmt.Fprint(w, netlink.Validate(m, []netlink.Message{got}))
		e := &netlink.OpError{Op: "receive", Err: errors.New("x"), Offset: r.IntN(2), Message: "text"[:r.IntN(4)]}
		fmt.Fprint(w, e.Error(), e.Timeout(), e.Temporary())
	})
}
