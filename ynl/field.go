package ynl

import "encoding/binary"

// Form is how a Field is to be read.
type Form uint8

// The forms.
const (
	FormBytes   Form = iota // bytes: binary values, and what has no form of its own
	FormFlag                // there or not, without a value
	FormUint                // Uint
	FormInt                 // Int
	FormEnum                // a number with a name
	FormBits                // a set of named bits
	FormString              // text
	FormHint                // a number or bytes that Hint shows as an address, in hex or as a UUID
	FormObject              // Fields with names
	FormArray               // Fields without names
	FormPad                 // padding, which has no value
	FormInvalid             // bytes that are no attribute
)

// Field is a value in a message: an attribute, a member of a struct, or an element
// of an array. It aliases the message.
type Field struct {
	// Name is what the spec calls it; "" for elements of arrays and what the spec
	// does not name.
	Name string
	// Attr describes an attribute; nil for members, elements and what the spec
	// does not have.
	Attr *Attr
	// Type is the type number of an attribute and the index of an element.
	Type uint16
	Form Form
	// Member marks a value of a fixed header or of a struct.
	Member bool
	// Unknown marks an attribute that the spec does not have.
	Unknown bool
	// Untyped marks bytes whose format is not known: an attribute or a kind that
	// the spec does not have, or a payload of another size than its type.
	Untyped bool
	// Offset of the field in bytes from the start of the message: of an attribute's
	// header, or of the first byte of a member.
	Offset int
	// Len is the length with the header of an attribute, without padding.
	Len int
	// Raw is the payload of an attribute, or the bytes of a member.
	Raw []byte
	// Rest is how many bytes at the end of Raw are past the struct that the spec
	// describes: newer kernels append members.
	Rest int
	// Fields are the parts of objects and arrays, in the order of the message.
	Fields []Field

	number  uint64
	layout  *Layout
	set     *Set // of the attributes in it
	integer bool // number is set
}

// Uint returns the value of a number; a negative one is uint64 of it.
func (f *Field) Uint() uint64 { return f.number }

// Int returns the value of a number.
func (f *Field) Int() int64 { return int64(f.number) }

// IsInteger reports whether the field holds a number, also one that is shown by
// a name or a hint.
func (f *Field) IsInteger() bool { return f.integer }

// Bytes returns Raw without what String drops: the NUL that ends a text.
func (f *Field) Bytes() []byte {
	if n := len(f.Raw); f.Form == FormString && n > 0 && f.Raw[n-1] == 0 {
		return f.Raw[:n-1]
	}
	return f.Raw
}

// Find returns the first field with that name, or nil.
func (f *Field) Find(name string) *Field { return find(f.Fields, name) }

func find(list []Field, name string) *Field {
	for i := range list {
		if list[i].Name == name && name != "" {
			return &list[i]
		}
	}
	return nil
}

// Bits yields the names and numbers of the bits that are set, from the lowest on.
// A bit without a name yields "".
func (f *Field) Bits(yield func(name string, bit int) bool) {
	if f.layout == nil || f.layout.Enum == nil {
		return
	}
	for v, bit := f.number, 0; v != 0; v, bit = v>>1, bit+1 {
		if v&1 == 0 {
			continue
		}
		name, _ := f.layout.Enum.ByValue(int64(bit))
		if !yield(name, bit) {
			return
		}
	}
}

// EnumName returns the name of a FormEnum, and whether its value has one.
func (f *Field) EnumName() (string, bool) {
	if f.layout == nil || f.layout.Enum == nil {
		return "", false
	}
	return f.layout.Enum.ByValue(int64(f.number))
}

// readInteger reads an integer of the type, which has the size of p: 1, 2, 4 or 8
// bytes. It is extended to 64 bits by its sign.
func readInteger(p []byte, t Type, o Order) uint64 {
	v := uint64(0)
	switch o {
	case Native:
		v = readNative(p)
	case BigEndian:
		for _, c := range p {
			v = v<<8 | uint64(c)
		}
	case LittleEndian:
		for i, c := range p {
			v |= uint64(c) << (8 * i)
		}
	}
	if t.IsSigned() {
		shift := 64 - 8*len(p)
		v = uint64(int64(v<<shift) >> shift)
	}
	return v
}

func readNative(p []byte) uint64 {
	switch len(p) {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(p))
	case 4:
		return uint64(binary.NativeEndian.Uint32(p))
	case 8:
		return binary.NativeEndian.Uint64(p)
	}
	return 0
}
