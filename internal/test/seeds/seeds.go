// Package seeds holds the inputs that fuzz targets start from, each with a name
// and the reason why it is there: lengths at their edges, what other libraries
// got wrong, what kernels sent.
//
// Those written by hand are in the machine's byte order, so that they mean the
// same everywhere. Those recorded are little-endian; elsewhere they are inputs
// like any other.
package seeds

import (
	"encoding/binary"
	"slices"
	"testing"
)

// Seed is one input.
type Seed struct {
	Name string
	Why  string
	B    []byte
}

// Attributes returns streams of attributes.
func Attributes() []Seed { return slices.Concat(attributeEdges, attributeBugs) }

// Datagrams returns whole datagrams: those written by hand, and those recorded.
func Datagrams() []Seed {
	return slices.Concat(messageEdges, answerEdges, familyEdges, messageBugs, Recorded())
}

// Fuzz gives the seeds to the target and runs it. A seed that fails tells its
// name, as f.Add alone does not.
func Fuzz(f *testing.F, list []Seed, property func(t *testing.T, b []byte)) {
	names := map[string]string{}
	for _, s := range list {
		f.Add(s.B)
		names[string(s.B)] = s.Name
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if name, ok := names[string(b)]; ok {
			t.Logf("seed %s", name)
		}
		property(t, b)
	})
}

var ne = binary.NativeEndian

// msg is a message whose length field says what it likes. It is not padded.
func msg(length uint32, typ, flags uint16, payload ...byte) []byte {
	b := ne.AppendUint16(ne.AppendUint16(ne.AppendUint32(nil, length), typ), flags)
	return append(ne.AppendUint32(ne.AppendUint32(b, 7), 1), payload...)
}

// attr is an attribute whose length field says what it likes. It is not padded.
func attr(length, typ uint16, payload ...byte) []byte {
	return append(ne.AppendUint16(ne.AppendUint16(nil, length), typ), payload...)
}

func u32(v uint32) []byte { return ne.AppendUint32(nil, v) }

// text is what it says, with a NUL and the padding.
func text(s string) []byte { return pad(append([]byte(s), 0)) }

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// errno is that of an answer, negative as the kernel sends it.
func errno(n int32) []byte { return u32(uint32(-n)) }
