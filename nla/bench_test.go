package nla

import (
	"math/rand/v2"
	"testing"

	"github.com/nlwire/nlwire/internal/test/golden"
)

// recordedStreams returns the attribute streams of recorded dumps: those of every message, and
// those of every nest defined in the family's header file.
func recordedStreams(tb testing.TB) map[string][][]byte {
	return map[string][][]byte{
		// CTRL_ATTR_OPS and CTRL_ATTR_MCAST_GROUPS are arrays of nests.
		"families": streams(golden.Datagrams(tb, "families"), 4, map[uint16]int{6: 2, 7: 2}),
		// IFLA_LINKINFO, IFLA_AF_SPEC with one nest per protocol family, IFLA_XDP.
		"links": streams(golden.Datagrams(tb, "links"), 16, map[uint16]int{18: 1, 26: 2, 43: 1}),
		// struct rtmsg; plain routes have no nests.
		"routes": streams(golden.Datagrams(tb, "routes"), 12, nil),
	}
}

// streams splits datagrams at the lengths in struct nlmsghdr, because this package must not import
// nlmsg.
func streams(datagrams [][]byte, hdrlen int, nests map[uint16]int) [][]byte {
	var out [][]byte
	for _, d := range datagrams {
		for len(d) >= 16 {
			n := int(ne.Uint32(d))
			if isData := ne.Uint16(d[4:]) >= 16; isData {
				out = appendStreams(out, d[16+hdrlen:n], nests)
			}
			d = d[min(Align(n), len(d)):]
		}
	}
	return out
}

// appendStreams appends b and the nests in it, down to the given depth.
func appendStreams(out [][]byte, b []byte, nests map[uint16]int) [][]byte {
	out = append(out, b)
	for a := range All(b) {
		if depth := nests[a.Type()]; depth > 0 {
			out = appendNests(out, a.Payload(), depth)
		}
	}
	return out
}

func appendNests(out [][]byte, b []byte, depth int) [][]byte {
	out = append(out, b)
	if depth > 1 {
		for a := range All(b) {
			out = appendNests(out, a.Payload(), depth-1)
		}
	}
	return out
}

// mixedStreams returns u32 and u64 attributes in random order, an input on which the predicted
// step can be wrong.
func mixedStreams() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, 64)
	for i := range out {
		for typ := range uint16(64) {
			if r.IntN(2) == 0 {
				out[i] = AppendUint32(out[i], typ, r.Uint32())
			} else {
				out[i] = AppendUint64(out[i], typ, r.Uint64())
			}
		}
	}
	return out
}

// touch is the work per attribute: it reads the type and the start of the payload.
func touch(typ uint16, payload []byte) uint64 {
	if len(payload) >= 4 {
		return uint64(typ) + uint64(ne.Uint32(payload))
	}
	return uint64(typ)
}

func walkByCursor(streams [][]byte) (sum uint64) {
	for _, b := range streams {
		for c := Walk(b); c.More(); c = c.Next() {
			sum += touch(c.Type(), c.Attr().Payload())
		}
	}
	return sum
}

func walkByConsume(streams [][]byte) (sum uint64) {
	for _, b := range streams {
		for len(b) > 0 {
			a, n := Consume(b)
			if n < 0 {
				break
			}
			b = b[n:]
			sum += touch(a.Type(), a.Payload())
		}
	}
	return sum
}

func walkByAll(streams [][]byte) (sum uint64) {
	for _, b := range streams {
		for a, err := range All(b) {
			if err != nil {
				break
			}
			sum += touch(a.Type(), a.Payload())
		}
	}
	return sum
}

// walkByHand is a handwritten loop with the same checks.
func walkByHand(streams [][]byte) (sum uint64) {
	for _, b := range streams {
		for len(b) > 0 {
			if len(b) < 4 {
				break
			}
			n := int(ne.Uint16(b))
			if n < 4 || n > len(b) {
				break
			}
			typ, payload := ne.Uint16(b[2:])&TypeMask, b[4:n]
			b = b[min((n+3)&^3, len(b)):]
			sum += touch(typ, payload)
		}
	}
	return sum
}

// BenchmarkWalk touches every attribute of recorded dumps, including nests.
func BenchmarkWalk(b *testing.B) {
	inputs := recordedStreams(b)
	inputs["mixed"] = mixedStreams()
	for _, input := range []string{"families", "links", "routes", "mixed"} {
		streams := inputs[input]
		var attrs int
		for _, s := range streams {
			for range All(s) {
				attrs++
			}
		}
		want := walkByHand(streams)
		for _, walk := range []struct {
			name string
			f    func([][]byte) uint64
		}{{"cursor", walkByCursor}, {"consume", walkByConsume}, {"all", walkByAll}, {"hand", walkByHand}} {
			b.Run(input+"/"+walk.name, func(b *testing.B) {
				b.ReportAllocs()
				var sum uint64
				for b.Loop() {
					sum = walk.f(streams)
				}
				if sum != want {
					b.Fatalf("checksum %#x, want %#x", sum, want)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(attrs), "ns/attr")
			})
		}
	}
}

// BenchmarkEncode appends nine attributes in two nests.
func BenchmarkEncode(b *testing.B) {
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		b := AppendUint32(buf[:0], 1, 7)
		b = AppendCString(b, 2, "eth0")
		outer := len(b)
		b = Begin(b, 3)
		b = AppendUint8(b, 1, 1)
		b = AppendUint16(b, 2, 2)
		b = AppendUint64(b, 3, 3)
		inner := len(b)
		b = Begin(b, 4)
		b = AppendUint32(b, 1, 4)
		b = AppendBE32(b, 2, 5)
		b = End(End(b, inner), outer)
		sinkBytes = b
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/9, "ns/attr")
}

// BenchmarkTable reads every stream of a recorded dump into a table, and then a few of its
// attributes.
func BenchmarkTable(b *testing.B) {
	inputs := recordedStreams(b)
	for _, input := range []string{"families", "links", "routes"} {
		streams := inputs[input]
		var slots [72]uint32
		tb := &Table{Slots: slots[:]}
		b.Run(input, func(b *testing.B) {
			var attrs int
			for _, s := range streams {
				for range All(s) {
					attrs++
				}
			}
			for b.Loop() {
				for _, s := range streams {
					if err := tb.Read(s); err != nil {
						b.Fatal(err)
					}
					sinkU64 += uint64(tb.Uint32(4)) + uint64(tb.Uint32(15)) + uint64(len(tb.Text(3))) + uint64(len(tb.Bytes(1)))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(streams)), "ns/table")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*attrs), "ns/attr")
		})
	}
}
