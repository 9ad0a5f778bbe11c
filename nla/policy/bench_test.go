package policy

import (
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
)

// recordedPolicies are the kernel's tables for the recorded dumps; for the controller the policy
// covers the attributes of its replies.
var recordedPolicies = map[string]*Policy{
	"families": {Attrs: []Rule{
		1: {Kind: KindU16}, 2: {Kind: KindNULString, Len: 15}, 3: {Kind: KindU32}, 4: {Kind: KindU32},
		5: {Kind: KindU32}, 6: {Kind: KindNested}, 7: {Kind: KindNested},
	}},
	// ifla_policy of net/core/rtnetlink.c, extended by attributes found only in replies.
	"links": {Attrs: []Rule{
		1: {Kind: KindBinary, Len: 32}, 2: {Kind: KindBinary, Len: 32}, 3: {Kind: KindString, Len: 15},
		4: {Kind: KindU32}, 5: {Kind: KindU32}, 6: {Kind: KindString}, 7: {Kind: KindBinary},
		10: {Kind: KindU32}, 13: {Kind: KindU32}, 14: {Kind: KindUnspec, Len: 28},
		16: {Kind: KindU8}, 17: {Kind: KindU8}, 18: {Kind: KindNested}, 20: {Kind: KindString, Len: 255},
		23: {Kind: KindBinary}, 26: {Kind: KindNested}, 27: {Kind: KindU32}, 29: {Kind: KindU32},
		30: {Kind: KindU32}, 31: {Kind: KindU32}, 32: {Kind: KindU32}, 33: {Kind: KindU8},
		35: {Kind: KindU32}, 37: {Kind: KindS32}, 39: {Kind: KindU8}, 40: {Kind: KindU32}, 41: {Kind: KindU32},
		43: {Kind: KindNested}, 47: {Kind: KindU32}, 48: {Kind: KindU32}, 50: {Kind: KindU32}, 51: {Kind: KindU32},
		54: {Kind: KindBinary, Len: 32}, 55: {Kind: KindNested}, 58: {Kind: KindU32}, 59: {Kind: KindU32},
		60: {Kind: KindU32}, 61: {Kind: KindU32}, 63: {Kind: KindU32}, 64: {Kind: KindU32}, 66: {Kind: KindU32},
	}},
	// rtm_ipv4_policy of net/ipv4/fib_frontend.c.
	"routes": {StrictStart: 30, Attrs: []Rule{
		1: {Kind: KindU32}, 2: {Kind: KindU32}, 3: {Kind: KindU32}, 4: {Kind: KindU32}, 5: {Kind: KindU32},
		6: {Kind: KindU32}, 7: {Kind: KindU32}, 8: {Kind: KindNested}, 9: {Kind: KindUnspec, Len: 8},
		11: {Kind: KindU32}, 15: {Kind: KindU32}, 16: {Kind: KindU32}, 21: {Kind: KindU16}, 22: {Kind: KindNested},
		25: {Kind: KindU32}, 27: {Kind: KindU8}, 28: {Kind: KindBE16}, 29: {Kind: KindBE16}, 30: {Kind: KindU32},
	}},
}

// topLevel returns the attributes of every message in recorded datagrams. It splits at the lengths
// in struct nlmsghdr, because this package must not import nlmsg.
func topLevel(tb testing.TB, name string, hdrlen int) (streams [][]byte) {
	for _, d := range golden.Datagrams(tb, name) {
		for len(d) >= 16 {
			n := int(ne.Uint32(d))
			if isData := ne.Uint16(d[4:]) >= 16; isData {
				streams = append(streams, d[16+hdrlen:n])
			}
			d = d[min(nla.Align(n), len(d)):]
		}
	}
	return streams
}

func walk(streams [][]byte) (sum int) {
	for _, b := range streams {
		for len(b) > 0 {
			a, n := nla.Consume(b)
			if n < 0 {
				break
			}
			b = b[n:]
			sum += int(a.Type()) + len(a.Payload())
		}
	}
	return sum
}

// BenchmarkParse parses every message of a recorded dump into a table. The metric x/walk is the
// ratio to a walk with Consume, with both measured alternately.
func BenchmarkParse(b *testing.B) {
	for _, input := range []struct {
		name   string
		hdrlen int
	}{{"families", 4}, {"links", 16}, {"routes", 12}} {
		streams, p := topLevel(b, input.name, input.hdrlen), recordedPolicies[input.name].Compile()
		tb := &nla.Table{Slots: make([]uint32, p.MaxType()+1)}
		parse := func() {
			for _, s := range streams {
				if err := Parse(tb, s, p, Liberal); err != nil {
					b.Fatal(err)
				}
			}
		}
		walk := func() { sinkInt = walk(streams) }
		var attrs int
		for _, s := range streams {
			for range nla.All(s) {
				attrs++
			}
		}
		b.Run(input.name, func(b *testing.B) {
			turns := max(1, 20_000/attrs)
			var parsing, walking time.Duration
			b.ReportAllocs()
			for b.Loop() {
				parsing += timed(turns, parse)
				walking += timed(turns, walk)
			}
			b.ReportMetric(float64(parsing.Nanoseconds())/float64(b.N*turns*attrs), "ns/attr")
			b.ReportMetric(float64(parsing)/float64(walking), "x/walk")
		})
	}
}

func timed(turns int, f func()) time.Duration {
	start := time.Now()
	for range turns {
		f()
	}
	return time.Since(start)
}

// BenchmarkHostile validates 64 KB of expensive input. Each case must take microseconds, in time
// proportional to its bytes.
func BenchmarkHostile(b *testing.B) {
	self := &Policy{Attrs: []Rule{1: {Kind: KindNested}, 2: {Kind: KindNestedArray}}}
	self.Attrs[1].Nested, self.Attrs[2].Nested = self, self
	self.Compile()
	var headers, nested []byte
	for len(headers) < nla.MaxPayload-nla.HeaderLen {
		headers = nla.AppendFlag(headers, 1|nla.Nested)
	}
	for len(nested) < nla.MaxPayload-nla.HeaderLen {
		nested = nla.AppendBytes(make([]byte, 0, len(nested)+8), 1|nla.Nested, nested)
	}
	for name, in := range map[string][]byte{"headers": headers, "nested": nested} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var r Report
			for b.Loop() {
				sinkErrno = ParseReport(nil, in, self, Strict, &r)
			}
		})
	}
}
