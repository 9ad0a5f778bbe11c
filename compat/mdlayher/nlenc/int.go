package nlenc

import (
	"encoding/binary"
	"fmt"
)

// ne is the host byte order.
var ne = binary.NativeEndian

// need panics unless b has the given size.
func need(b []byte, size int, op string) {
	if len(b) != size {
		panic(fmt.Sprintf("%s: need %d bytes, have %d", op, size, len(b)))
	}
}

// NativeEndian returns the host byte order.
//
// Deprecated: use [binary.NativeEndian].
func NativeEndian() binary.ByteOrder { return ne }

// PutUint8 writes v to b. It panics unless b is 1 byte long.
//
// Deprecated: assign to b[0].
func PutUint8(b []byte, v uint8) { need(b, 1, "PutUint8"); b[0] = v }

// PutUint16 writes v to b. It panics unless b is 2 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func PutUint16(b []byte, v uint16) { need(b, 2, "PutUint16"); ne.PutUint16(b, v) }

// PutUint32 writes v to b. It panics unless b is 4 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func PutUint32(b []byte, v uint32) { need(b, 4, "PutUint32"); ne.PutUint32(b, v) }

// PutUint64 writes v to b. It panics unless b is 8 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func PutUint64(b []byte, v uint64) { need(b, 8, "PutUint64"); ne.PutUint64(b, v) }

// PutInt32 writes v to b. It panics unless b is 4 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func PutInt32(b []byte, v int32) { need(b, 4, "PutInt32"); ne.PutUint32(b, uint32(v)) }

// Uint8 reads a value from b. It panics unless b is 1 byte long.
//
// Deprecated: use b[0].
func Uint8(b []byte) uint8 { need(b, 1, "Uint8"); return b[0] }

// Uint16 reads a value from b. It panics unless b is 2 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func Uint16(b []byte) uint16 { need(b, 2, "Uint16"); return ne.Uint16(b) }

// Uint32 reads a value from b. It panics unless b is 4 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func Uint32(b []byte) uint32 { need(b, 4, "Uint32"); return ne.Uint32(b) }

// Uint64 reads a value from b. It panics unless b is 8 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func Uint64(b []byte) uint64 { need(b, 8, "Uint64"); return ne.Uint64(b) }

// Int32 reads a value from b. It panics unless b is 4 bytes long.
//
// Deprecated: use [binary.NativeEndian].
func Int32(b []byte) int32 { need(b, 4, "Int32"); return int32(ne.Uint32(b)) }

// Uint8Bytes returns v in a new slice.
//
// Deprecated: use []byte{v}.
func Uint8Bytes(v uint8) []byte { return []byte{v} }

// Uint16Bytes returns v in a new slice.
func Uint16Bytes(v uint16) []byte { return ne.AppendUint16(make([]byte, 0, 2), v) }

// Uint32Bytes returns v in a new slice.
func Uint32Bytes(v uint32) []byte { return ne.AppendUint32(make([]byte, 0, 4), v) }

// Uint64Bytes returns v in a new slice.
func Uint64Bytes(v uint64) []byte { return ne.AppendUint64(make([]byte, 0, 8), v) }

// Int32Bytes returns v in a new slice.
func Int32Bytes(v int32) []byte { return Uint32Bytes(uint32(v)) }
