// Package native contains the functions shared by the packages that write bytes: it joins small
// integers in the byte order of the machine, and appends padding.
//
// Netlink headers are in host byte order. Writing a whole header as one integer needs one
// capacity check and one store instead of two or three. The functions here place each part where
// the kernel's struct has it.
package native

// Bytes returns the uint16 that consists, in memory, of first and second.
func Bytes(first, second uint8) uint16 {
	if BigEndian {
		return uint16(first)<<8 | uint16(second)
	}
	return uint16(first) | uint16(second)<<8
}

// Half returns the uint32 that consists, in memory, of first and second.
func Half(first, second uint16) uint32 {
	if BigEndian {
		return uint32(first)<<16 | uint32(second)
	}
	return uint32(first) | uint32(second)<<16
}

// Pair returns the uint64 that consists, in memory, of first and second.
func Pair(first, second uint32) uint64 {
	if BigEndian {
		return uint64(first)<<32 | uint64(second)
	}
	return uint64(first) | uint64(second)<<32
}
