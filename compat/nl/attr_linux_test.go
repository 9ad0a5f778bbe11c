package nl

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	original "github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
)

// part is data of a caller's type. Its Len may differ from the length of its bytes.
type part struct {
	bytes []byte
	len   int
}

func (p part) Len() int          { return p.len }
func (p part) Serialize() []byte { return p.bytes }

// grow adds up to three children to both attributes, and children to the children, up to
// depth levels.
func grow(r *rand.Rand, a *RtAttr, o *original.RtAttr, depth int) {
	for range r.IntN(4) {
		typ, data := r.IntN(1<<16), make([]byte, r.IntN(10))
		switch r.IntN(4) {
		case 0:
			v := r.Uint32()
			a.AddChild(&Uint32Attribute{uint16(typ), v})
			o.AddChild(&original.Uint32Attribute{Type: uint16(typ), Value: v})
		case 1:
			p := part{data, len(data) + 4*r.IntN(2)} // the rest is zeros
			a.AddChild(p)
			o.AddChild(p)
		default:
			child, otherChild := a.AddRtAttr(typ, data), o.AddRtAttr(typ, data)
			if depth > 0 {
				grow(r, child, otherChild, depth-1)
			}
		}
	}
}

func TestSerializeLikeOriginal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		typ, data := r.IntN(1<<16), []byte(strings.Repeat("x", r.IntN(10)))
		a, o := NewRtAttr(typ, data), original.NewRtAttr(typ, data)
		grow(r, a, o, 4)
		if got, want := a.Len(), o.Len(); got != want {
			t.Fatalf("Len %d, want %d", got, want)
		}
		if got, want := a.Serialize(), o.Serialize(); !bytes.Equal(got, want) {
			t.Fatalf("got  % x\nwant % x", got, want)
		}
		req, other := NewNetlinkRequest(typ, unix.NLM_F_ACK), original.NewNetlinkRequest(typ, unix.NLM_F_ACK)
		req.Seq, other.Seq = 7, 7
		header := part{make([]byte, 1+r.IntN(5)), 0} // not padded
		req.AddData(header)
		other.AddData(header)
		req.AddData(a)
		other.AddData(o)
		req.AddRawData(data)
		other.AddRawData(data)
		if got, want := req.Serialize(), other.Serialize(); !bytes.Equal(got, want) || req.Len != other.Len {
			t.Fatalf("request of %d bytes % x\nwant %d bytes % x", req.Len, got, other.Len, want)
		}
	}
}

// TestAttrTooLong checks that an attribute is not sent if its length field cannot express
// its length.
func TestAttrTooLong(t *testing.T) {
	for n, isSent := range map[int]bool{nla.MaxPayload: true, nla.MaxPayload + 1: false, 1 << 20: false} {
		req := NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
		req.AddData(NewRtAttr(5, nil))
		req.AddData(NewRtAttr(unix.IFLA_IFALIAS|nla.Nested, make([]byte, n)))
		_, err := req.Execute(unix.NETLINK_ROUTE, 0)
		if isSent {
			check(t, err)
		} else if err == nil || !strings.Contains(err.Error(), "attribute 20 ") {
			t.Errorf("payload of %d bytes: error %v, want one that names attribute 20", n, err)
		}
	}
}

func TestUint32AttributeOrder(t *testing.T) {
	a := (&Uint32Attribute{Type: 3 | nla.NetByteOrder, Value: 0x01020304}).Serialize()
	if v, err := nla.Attr(a).BE32(); err != nil || v != 0x01020304 || !nla.Attr(a).IsNetByteOrder() {
		t.Errorf("% x: %#x, %v", a, v, err)
	}
	a = (&Uint32Attribute{Type: 3, Value: 0x01020304}).Serialize()
	if v, err := nla.Attr(a).Uint32(); err != nil || v != 0x01020304 {
		t.Errorf("% x: %#x, %v", a, v, err)
	}
}
