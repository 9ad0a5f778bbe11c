package nl

import (
	"bytes"
	"encoding/binary"
)

// NativeEndian returns the byte order of the machine as [binary.LittleEndian] or
// [binary.BigEndian], because callers compare it with them.
func NativeEndian() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// BytesToString returns the text of b up to its first NUL, or all of b if it has none.
func BytesToString(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
