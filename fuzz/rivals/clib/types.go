package clib

// Piece is one message or attribute that a library returned. Outside reports whether it extends
// past the input.
type Piece struct {
	At, Len int
	Type    uint16
	Outside bool
}

// Value contains the results of a library's getters, which ignore the size. Bit n of Valid
// reports whether libmnl accepts the payload as its type n.
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

// Family is the part of a family that libnl reads.
type Family struct {
	ID, Version, Header, MaxAttr uint32
	Name                         string
}

// The steps of a program of puts: one byte with a constant below, the type and the size as
// uint16, and the payload.
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
