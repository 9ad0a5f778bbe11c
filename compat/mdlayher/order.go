package netlink

import (
	"encoding/binary"
	"math/bits"
)

// ne is the host byte order.
var ne = binary.NativeEndian

// isBigEndian is true on big-endian hosts.
var isBigEndian = ne.Uint16([]byte{0, 1}) == 1

// isOf reports whether o has the type of the second argument. The type of binary.NativeEndian has no
// exported name. Comparing the values would call the runtime.
func isOf[T any](o binary.ByteOrder, _ T) bool {
	_, ok := o.(T)
	return ok
}

// An order is the relation of a binary.ByteOrder to host byte order.
type order int

const (
	asHost  order = iota
	swapped       // the reverse of host byte order
	custom        // another implementation of binary.ByteOrder
)

// orderOf returns the relation of o to host byte order. nil means host byte order.
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

// inOrder16 returns a number that has, in host byte order, the bytes of v in order o.
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
