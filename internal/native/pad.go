package native

// alignTo is the alignment of messages and attributes (NLMSG_ALIGNTO, NLA_ALIGNTO).
const alignTo = 4

// Pad appends the zeros that follow n bytes at the end of b. A loop, and not
// append(b, zeros[:k]...), which costs a call: see docs/decisions/codec.md. Where n is nearly always
// aligned, test that before: the loop costs even so.
func Pad(b []byte, n int) []byte {
	for ; n%alignTo != 0; n++ {
		b = append(b, 0)
	}
	return b
}
