// Package seeds contains the initial inputs of fuzz targets, each with a name and a reason:
// lengths at limits, inputs that other libraries handled incorrectly, and datagrams of kernels.
//
// Handwritten seeds are in the machine's byte order, so that they have the same meaning
// everywhere. Recorded seeds are little-endian; on big-endian machines they are arbitrary inputs.
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

// Datagrams returns whole datagrams, handwritten and recorded.
func Datagrams() []Seed {
	return slices.Concat(messageEdges, answerEdges, familyEdges, messageBugs, Recorded())
}

// Fuzz adds the seeds to the target and runs it. Unlike f.Add alone, it logs the name of a seed
// that fails.
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

// msg returns a message with an arbitrary length field. It is not padded.
func msg(length uint32, typ, flags uint16, payload ...byte) []byte {
	b := ne.AppendUint16(ne.AppendUint16(ne.AppendUint32(nil, length), typ), flags)
	return append(ne.AppendUint32(ne.AppendUint32(b, 7), 1), payload...)
}

// attr returns an attribute with an arbitrary length field. It is not padded.
func attr(length, typ uint16, payload ...byte) []byte {
	return append(ne.AppendUint16(ne.AppendUint16(nil, length), typ), payload...)
}

func u32(v uint32) []byte { return ne.AppendUint32(nil, v) }

// text returns s with a NUL and the padding.
func text(s string) []byte { return pad(append([]byte(s), 0)) }

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// errno returns the errno of an answer, negative as the kernel sends it.
func errno(n int32) []byte { return u32(uint32(-n)) }
