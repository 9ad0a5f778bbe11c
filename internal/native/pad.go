package native

// alignTo is the alignment of messages and attributes (NLMSG_ALIGNTO, NLA_ALIGNTO).
const alignTo = 4

// Pad appends the zeros that follow n bytes at the end of b. It uses a loop, because append(b,
// zeros[:k]...) is a function call. The loop has a cost even if n is aligned: callers with mostly
// aligned lengths should check the alignment first.
func Pad(b []byte, n int) []byte {
	for ; n%alignTo != 0; n++ {
		b = append(b, 0)
	}
	return b
}
