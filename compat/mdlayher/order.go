package netlink

import (
	"encoding/binary"
	"math/bits"
)

// ne is the host byte order.
var ne = binary.NativeEndian

// isBigEndian is the host's.
var isBigEndian = ne.Uint16([]byte{0, 1}) == 1

// isOf reports whether o has the type of its second argument. binary.NativeEndian has one
// without a name, and comparing the values is a call of the runtime.
func isOf[T any](o binary.ByteOrder, _ T) bool {
	_, ok := o.(T)
	return ok
}

// An order is what a binary.ByteOrder means for the bytes of a number in host order.
type order int

const (
	asHost  order = iota
	swapped       // turned round
	custom        // of a type of the caller's
)

// orderOf returns what a byte order means. The host's is also that of no byte order.
func orderOf(o binary.ByteOrder) order {
	switch {
	case o == nil || isOf(o, ne):
		return asHost
	case isOf(o, binary.BigEndian) && !isBigEndian, isOf(o, binary.LittleEndian) && isBigEndian:
		return swapped
	case isOf(o, binary.BigEndian) || isOf(o, binary.LittleEndian):
		return asHost
	}
	return custom
}

// inOrder16 returns the number whose bytes in host order are those of v in order o.
func inOrder16(o binary.ByteOrder, v uint16) uint16 {
	switch orderOf(o) {
	case asHost:
		return v
	case swapped:
		return bits.ReverseBytes16(v)
	}
	b := make([]byte, 2)
	o.PutUint16(b, v)
	return ne.Uint16(b)
}

func inOrder32(o binary.ByteOrder, v uint32) uint32 {
	switch orderOf(o) {
	case asHost:
		return v
	case swapped:
		return bits.ReverseBytes32(v)
	}
	b := make([]byte, 4)
	o.PutUint32(b, v)
	return ne.Uint32(b)
}

func inOrder64(o binary.ByteOrder, v uint64) uint64 {
	switch orderOf(o) {
	case asHost:
		return v
	case swapped:
		return bits.ReverseBytes64(v)
	}
	b := make([]byte, 8)
	o.PutUint64(b, v)
	return ne.Uint64(b)
}
