// Package edges provides extreme arguments for the tests of every exported function of the codec,
// in memory where a read outside the argument faults.
package edges

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/nlwire/nlwire/internal/native"
)

// Ints returns integers at limits: 0, the powers of two at the limits of types, and the smallest
// and largest int, each with neighbors that adding a header or rounding up can reach.
// With -short only the nearest neighbors are included, for emulated processors.
func Ints() []int {
	reach := int64(40)
	if testing.Short() {
		reach = 6
	}
	var all []int
	for _, edge := range []int64{0, 1 << 7, 1 << 8, 1 << 14, 1 << 15, 1 << 16, math.MaxInt32, -1 << 31, math.MaxUint32, math.MaxInt64, math.MinInt64} {
		for d := -reach; d <= reach; d++ {
			if v := edge + d; int64(int(v)) == v && (v < edge) == (d < 0) {
				all = append(all, int(v))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Uint64s returns the numbers at the limits of every integer type, with their neighbors.
func Uint64s() []uint64 {
	var all []uint64
	for bits := range 64 {
		if bits%8 == 0 || bits%8 == 7 {
			one := uint64(1) << bits
			all = append(all, one-1, one, one+1, -one-1, -one, one|1<<(bits/2))
		}
	}
	all = append(all, 0x0123456789abcdef)
	slices.Sort(all)
	return slices.Compact(all)
}

// Uint16s returns attribute types at limits.
func Uint16s() []uint16 {
	return []uint16{0, 1, 2, 15, 16, 255, 256, 1<<14 - 1, 1 << 14, 1<<15 - 1, 1 << 15, 1<<15 | 1, 1<<16 - 2, 1<<16 - 1}
}

// Sizes returns lengths of slices: short ones, and those around the maximum length of an
// attribute.
func Sizes() []int {
	var all []int
	for n := range 41 {
		all = append(all, n)
	}
	for _, d := range []int{-9, -6, -5, -4, -1, 0, 1, 4} {
		all = append(all, 1<<16+d)
	}
	return all
}

// Streams returns nil and slices of all Sizes. Each starts with a length field of width bytes, 2
// or 4, with values at the limits of the slice and of the field. The rest is one repeated byte,
// the index of each byte, or whole attributes; long slices, and with -short all slices, have one
// of these contents each. The slices are shared: do not modify them.
func Streams(width int) [][]byte { return streams[width/2-1]() }

var streams = [2]func() [][]byte{
	sync.OnceValue(func() [][]byte { return makeStreams(2) }),
	sync.OnceValue(func() [][]byte { return makeStreams(4) }),
}

func makeStreams(width int) [][]byte {
	all := [][]byte{nil}
	for _, size := range Sizes() {
		for _, length := range lengths(width, size) {
			for fill := range 4 {
				if (size > 1<<12 || testing.Short()) && fill != int(length)%4 {
					continue
				}
				b := make([]byte, size)
				attribute := Bytes(8, 2)
				attribute = append(append(attribute, Bytes(1, 2)...), 1, 2, 0, 0)
				for i := range b {
					b[i] = [...]byte{0, 0xff, byte(i), attribute[i%8]}[fill]
				}
				copy(b, Bytes(uint64(length), width))
				all = append(all, b)
			}
		}
	}
	return all
}

// lengths returns the values of a length field at the start of size bytes.
func lengths(width, size int) (all []int64) {
	some := []int64{0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 20, 21, 1<<16 - 1, 1<<31 - 5, 1<<31 - 3, 1<<31 - 1, 1 << 31, 1<<32 - 3, 1<<32 - 1}
	for d := -4; d <= 1; d++ {
		some = append(some, int64(size+d))
	}
	slices.Sort(some)
	for _, n := range slices.Compact(some) {
		if n >= 0 && n < 1<<(8*width) {
			all = append(all, n)
		}
	}
	return all
}

// Bytes returns the lowest n bytes of v in the byte order of the machine.
func Bytes(v uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		at := i
		if native.BigEndian {
			at = n - 1 - i
		}
		b[at] = byte(v >> (8 * i))
	}
	return b
}

// Clamp returns v, or the largest int if v is larger.
func Clamp(v *big.Int) int {
	if limit := big.NewInt(math.MaxInt); v.Cmp(limit) > 0 {
		v = limit
	}
	return int(v.Int64())
}

// RoundUp returns the sum of numbers, rounded up to a multiple of 4, or the largest int if the
// result is larger.
func RoundUp(numbers ...int) int {
	sum := big.NewInt(3)
	for _, n := range numbers {
		sum.Add(sum, big.NewInt(int64(n)))
	}
	return Clamp(sum.Sub(sum, new(big.Int).And(sum, big.NewInt(3))))
}

// Equal fails if two slices have different bytes, or if only one is nil.
func Equal(t *testing.T, got, want []byte, format string, args ...any) {
	t.Helper()
	if string(got) != string(want) || (got == nil) != (want == nil) {
		t.Errorf(format+": %d bytes % x, want %d bytes % x", append(args, len(got), head(got), len(want), head(want))...)
	}
}

// View fails unless v is a view of size bytes of b from offset from, with a capacity equal to its
// length. It compares only addresses, so b may be reserved memory. A nil v is valid for size 0.
func View(t *testing.T, v, b []byte, from, size int, format string, args ...any) {
	t.Helper()
	if size == 0 && v == nil {
		return
	}
	at := Place(v, b)
	if len(v) != size || cap(v) != size || size > 0 && at != from {
		t.Errorf(format+": %d bytes at %d with a capacity of %d, want %d at %d", append(args, len(v), at, cap(v), size, from)...)
	}
}

// Place returns the offset of the view v in b.
func Place(v, b []byte) int {
	return int(uintptr(unsafe.Pointer(unsafe.SliceData(v))) - uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// Within fails if v is not inside one of the slices.
func Within(t *testing.T, v []byte, format string, args []any, of ...[]byte) {
	t.Helper()
	if len(v) == 0 {
		return
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
	for _, b := range of {
		low := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		if start >= low && start-low <= uintptr(len(b)) && len(v) <= len(b)-int(start-low) {
			return
		}
	}
	t.Errorf(format+": %d bytes outside the argument", append(args, len(v))...)
}

// String returns the bytes of b as a string, without copying them.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Panics returns the panic value of f, or nil if f returns.
func Panics(f func()) (reason any) {
	defer func() { reason = recover() }()
	f()
	return nil
}

func head(b []byte) []byte { return b[:min(len(b), 48)] }

// PutLen writes a length field of 4 bytes at the start of b.
func PutLen(b []byte, n uint64) { binary.NativeEndian.PutUint32(b, uint32(n)) }
