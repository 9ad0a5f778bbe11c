package input

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nlmsg"
)

// isPlausible reports whether b is a sequence of complete netlink messages in one of the
// two byte orders. The last message need not be padded, and zeros may follow it, which the
// kernel ignores.
func isPlausible(b []byte) bool {
	return isSequence(b, binary.LittleEndian) || isSequence(b, binary.BigEndian)
}

// isNative is isPlausible for the byte order of this system.
func isNative(b []byte) bool { return isSequence(b, binary.NativeEndian) }

func isSequence(b []byte, order binary.ByteOrder) bool {
	for n := 0; len(b) > 0; n++ {
		if len(b) < nlmsg.HeaderLen {
			return n > 0 && IsZero(b)
		}
		size := order.Uint32(b)
		if size == 0 && n > 0 {
			return IsZero(b)
		}
		if size < nlmsg.HeaderLen || uint64(size) > uint64(len(b)) {
			return false
		}
		b = b[min(nlmsg.Align(int(size)), len(b)):]
		if len(b) == 0 {
			return true
		}
	}
	return false
}

// IsZero reports whether all bytes are 0.
func IsZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// IsForeign reports whether b is a datagram in the byte order that this system does not
// have: only that order gives complete messages.
func IsForeign(b []byte) bool {
	if len(b) < nlmsg.HeaderLen || isHead(b, binary.NativeEndian) {
		return false
	}
	if native.BigEndian {
		return isHead(b, binary.LittleEndian)
	}
	return isHead(b, binary.BigEndian)
}

// isHead reports whether b begins with a plausible message header.
func isHead(b []byte, order binary.ByteOrder) bool {
	size := order.Uint32(b)
	return size >= nlmsg.HeaderLen && uint64(size) <= uint64(max(len(b), maxHead))
}

// maxHead is the length up to which a message is plausible although the file does not
// contain it completely.
const maxHead = 1 << 16
