package native

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// The constant comes from a list of architectures; it must match the byte order of
// encoding/binary.
func TestBigEndianAgreesWithEncodingBinary(t *testing.T) {
	if got := binary.NativeEndian.Uint16([]byte{1, 0}) == 0x100; got != BigEndian {
		t.Errorf("BigEndian = %v, but encoding/binary uses %v", BigEndian, got)
	}
}

func TestPartsAreLaidOutInOrder(t *testing.T) {
	ne := binary.NativeEndian
	if got := ne.AppendUint16(nil, Bytes(1, 0x82)); !bytes.Equal(got, []byte{1, 0x82}) {
		t.Errorf("Bytes = % x, want 01 82", got)
	}
	want := ne.AppendUint16(ne.AppendUint16(nil, 0x0102), 0x8384)
	if got := ne.AppendUint32(nil, Half(0x0102, 0x8384)); !bytes.Equal(got, want) {
		t.Errorf("Half = % x, want % x", got, want)
	}
	want = ne.AppendUint32(ne.AppendUint32(nil, 0x01020304), 0x85868788)
	if got := ne.AppendUint64(nil, Pair(0x01020304, 0x85868788)); !bytes.Equal(got, want) {
		t.Errorf("Pair = % x, want % x", got, want)
	}
}

func TestPadAppendsZerosUpToTheAlignment(t *testing.T) {
	for n, want := range []int{0, 3, 2, 1, 0, 3, 2, 1, 0} {
		if got := Pad([]byte{1, 2}, n); !bytes.Equal(got, append([]byte{1, 2}, make([]byte, want)...)) {
			t.Errorf("after %d bytes: % x, want %d zeros", n, got, want)
		}
	}
}
