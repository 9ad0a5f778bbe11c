package genlmsg

import (
	"math"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
	"github.com/nlwire/nlwire/nlmsg"
)

// TestEdges calls every exported function with extreme arguments, like the test of the same name
// in package nla.
func TestEdges(t *testing.T) {
	guard.Edges(t, map[string]func(*testing.T){
		"Header.Cmd":      field(0, 1, func(h Header) uint64 { return uint64(h.Cmd()) }),
		"Header.Version":  field(1, 1, func(h Header) uint64 { return uint64(h.Version()) }),
		"Header.Reserved": field(2, 2, func(h Header) uint64 { return uint64(h.Reserved()) }),
		"Consume": func(t *testing.T) {
			eachSlice(func(b []byte) {
				h, n := Consume(b)
				if (n == 4) != (len(b) >= 4) || (n == -1) != (len(b) < 4) {
					t.Errorf("%d bytes: %d", len(b), n)
				}
				edges.View(t, h, b, 0, max(n, 0), "%d bytes", len(b))
			})
		},
		"UserHeader": func(t *testing.T) {
			eachHeader(t, func(m nlmsg.Msg, hdrsize, size int) {
				want := 0
				if hdrsize > 0 && hdrsize <= size-20 {
					want = hdrsize
				}
				edges.View(t, UserHeader(m, hdrsize), m, 20, want, "UserHeader(%d) of %d bytes", hdrsize, size)
			})
		},
		"Attrs": func(t *testing.T) {
			eachHeader(t, func(m nlmsg.Msg, hdrsize, size int) {
				start, n := edges.RoundUp(20, hdrsize), 0
				if hdrsize >= 0 && start < size {
					n = size - start
				}
				got := Attrs(m, hdrsize)
				edges.View(t, got, m, start, n, "Attrs(%d) of %d bytes", hdrsize, size)
				if n == 0 && got != nil {
					t.Errorf("Attrs(%d) of %d bytes is not nil", hdrsize, size)
				}
			})
		},
		"Append": func(t *testing.T) {
			for _, v := range []uint8{0, 1, 127, 128, 255} {
				want := []byte{v, ^v, 0, 0}
				edges.Equal(t, Append(nil, v, ^v), want, "nil")
				edges.Equal(t, Append([]byte{9}, v, ^v), append([]byte{9}, want...), "one byte")
				edges.Fence(make([]byte, 6), func(b []byte) {
					edges.Equal(t, Append(b[:2], v, ^v), append([]byte{0, 0}, want...), "room")
				})
			}
		},
		"AppendUserHeader": func(t *testing.T) {
			eachSlice(func(hdr []byte) {
				want := slices.Clone(hdr)
				for len(want)%4 != 0 {
					want = append(want, 0)
				}
				if got := AppendUserHeader(nil, hdr); string(got) != string(want) {
					t.Errorf("%d bytes: %d bytes, want %d", len(hdr), len(got), len(want))
				}
				edges.Equal(t, AppendUserHeader([]byte{1}, hdr), append([]byte{1}, want...), "%d bytes after one", len(hdr))
			})
		},
	}, nil)
}

func eachSlice(f func(b []byte)) {
	for _, b := range edges.Streams(2) {
		edges.Fence(b, f)
	}
	for _, s := range seeds.Datagrams() {
		edges.Fence(s.B, f)
	}
}

// eachHeader calls f with messages of all sizes, up to the longest, and user headers.
func eachHeader(t *testing.T, f func(m nlmsg.Msg, hdrsize, size int)) {
	try := func(b []byte) {
		for _, hdrsize := range append(edges.Ints(), len(b)-24, len(b)-21, len(b)-20, len(b)-19) {
			f(b, hdrsize, len(b))
		}
	}
	try(nil)
	for _, size := range edges.Sizes() {
		edges.Fence(make([]byte, size), try)
	}
	huge := edges.Reserve(t, math.MaxInt32)
	for spare := range 5 {
		try(huge[: len(huge)-spare : len(huge)-spare])
	}
}

// field returns the row of an accessor for n bytes at an offset of the header.
func field(at, n int, get func(Header) uint64) func(*testing.T) {
	return func(t *testing.T) {
		eachSlice(func(b []byte) {
			var want uint64
			if len(b) >= 4 {
				want = slow.Number(b[at:at+n], false, false).Uint64()
			}
			if got := get(b); got != want {
				t.Errorf("%d bytes: %#x, want %#x", len(b), got, want)
			}
		})
	}
}
