package clib

// Piece is one message or attribute that a library took. Outside says that it
// leaves the input.
type Piece struct {
	At, Len int
	Type    uint16
	Outside bool
}

// Value is what the getters of a library return, whatever the size is. Bit n of
// Valid says that libmnl takes the payload for its type n.
type Value struct {
	U8    uint8
	U16   uint16
	U32   uint32
	U64   uint64
	Valid uint32
	Text  string
}

// Rule is struct nla_policy of libnl.
type Rule struct{ Type, Min, Max uint16 }

// Family is what libnl reads of one.
type Family struct {
	ID, Version, Header, MaxAttr uint32
	Name                         string
}

// The steps of a program of puts: a byte of these, the type and the size as
// uint16, and as many bytes.
const (
	Put = iota
	PutU8
	PutU16
	PutU32
	PutU64
	PutStrz
	Nest
	NestEnd
	NestCancel
)
