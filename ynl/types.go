package ynl

// Type is the type of an attribute or of a member of a struct.
type Type uint8

// The types, as specs name them.
const (
	TypeNone Type = iota
	TypeUnused
	TypePad
	TypeFlag
	TypeBinary
	TypeBitfield32
	TypeUint // 4 or 8 bytes
	TypeSint // 4 or 8 bytes
	TypeU8
	TypeU16
	TypeU32
	TypeU64
	TypeS8
	TypeS16
	TypeS32
	TypeS64
	TypeString
	TypeNest
	TypeIndexedArray  // a nest with an attribute for each element
	TypeNestTypeValue // nests in nests, with values as type numbers
	TypeSubMessage
)

var typeNames = []string{"none", "unused", "pad", "flag", "binary", "bitfield32", "uint", "sint",
	"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "string", "nest", "indexed-array",
	"nest-type-value", "sub-message"}

var typeByName = byName[Type](typeNames)

// String returns the name that specs use.
func (t Type) String() string { return nameOf(typeNames, int(t)) }

// Width returns the size in bytes of an integer of fixed size, and 0 for other types.
func (t Type) Width() int {
	switch t {
	case TypeU8, TypeS8:
		return 1
	case TypeU16, TypeS16:
		return 2
	case TypeU32, TypeS32:
		return 4
	case TypeU64, TypeS64:
		return 8
	}
	return 0
}

// IsSigned reports whether t is a signed integer.
func (t Type) IsSigned() bool {
	return t == TypeSint || t >= TypeS8 && t <= TypeS64
}

// IsInteger reports whether t is an integer, of fixed or variable size.
func (t Type) IsInteger() bool { return t >= TypeUint && t <= TypeS64 }

// Order is the byte order of an integer.
type Order uint8

// The byte orders. Native is that of the machine that wrote the message. Decoding assumes
// the byte order of the machine it runs on.
const (
	Native Order = iota
	BigEndian
	LittleEndian
)

var orderNames = []string{"native", "big-endian", "little-endian"}

var orderByName = byName[Order](orderNames)

// String returns the name that specs use.
func (o Order) String() string { return nameOf(orderNames, int(o)) }

// Hint is how a value is printed (key display-hint).
type Hint uint8

// The hints.
const (
	HintNone Hint = iota
	HintHex
	HintMAC
	HintFDDI
	HintIPv4
	HintIPv6
	HintIP // IPv4 or IPv6
	HintUUID
)

var hintNames = []string{"none", "hex", "mac", "fddi", "ipv4", "ipv6", "ipv4-or-v6", "uuid"}

var hintByName = byName[Hint](hintNames)

// String returns the name that specs use.
func (h Hint) String() string { return nameOf(hintNames, int(h)) }

// byName returns the inverse of a list of names.
func byName[T ~uint8](list []string) map[string]T {
	m := make(map[string]T, len(list))
	for i, name := range list {
		m[name] = T(i)
	}
	return m
}

// nameOf returns the name of a number, or "invalid".
func nameOf(list []string, i int) string {
	if uint(i) >= uint(len(list)) {
		return "invalid"
	}
	return list[i]
}
