package nl

import (
	"bytes"
	"encoding/binary"
)

// NativeEndian returns the byte order of the machine: [binary.LittleEndian] or
// [binary.BigEndian], with which callers compare it.
func NativeEndian() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// BytesToString returns the text of b up to its first NUL, all of it if it has none.
func BytesToString(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
