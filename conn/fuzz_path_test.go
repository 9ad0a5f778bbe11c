package conn

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
)

// slowPaths finds every attribute, and every attribute inside it if it were a nest. It
// records the offset and the path of types of each.
func slowPaths(b []byte, at int, outer []uint16, paths map[int][]uint16) {
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return
		}
		path := append(slices.Clone(outer), binary.NativeEndian.Uint16(b[2:])&0x3fff)
		paths[at] = path
		slowPaths(b[4:n], at+4, path, paths)
		step := min((n+3)/4*4, len(b))
		at, b = at+step, b[step:]
	}
}

// FuzzPath maps every offset of a stream to its path and compares the result with a search
// of all attributes.
func FuzzPath(f *testing.F) {
	seeds.Fuzz(f, seeds.Attributes(), func(t *testing.T, b []byte) {
		if len(b) > 512 {
			b = b[:512]
		}
		want := map[int][]uint16{}
		slowPaths(b, 0, nil, want)
		for offset := -1; offset <= len(b)+4; offset++ {
			if got := pathTo(b, int64(offset)); !slices.Equal(got, want[offset]) || (got == nil) != (want[offset] == nil) {
				t.Fatalf("offset %d is %v, want %v", offset, got, want[offset])
			}
		}
		if pathTo(b, 1<<32-1) != nil || pathTo(b, -1<<32) != nil {
			t.Fatal("a path far outside")
		}
		guard.Memory(t, b, 64+2*len(b), func() { pathTo(b, int64(len(b)/2)) })
	})
}
