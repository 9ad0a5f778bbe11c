package ynl

import "encoding/binary"

// Form is the kind of value of a Field. It determines which methods and fields apply.
type Form uint8

// The forms.
const (
	FormBytes   Form = iota // bytes (Raw): binary values, and values of unknown type
	FormFlag                // a flag that is set; it has no value
	FormUint                // an unsigned number (Uint)
	FormInt                 // a signed number (Int)
	FormEnum                // a number that may have a name (Uint, EnumName)
	FormBits                // a set of bits (Uint, Bits)
	FormString              // text (Bytes)
	FormHint                // a number or bytes, printed as an address, in hex or as a UUID
	FormObject              // Fields with names
	FormArray               // Fields without names
	FormPad                 // padding, which has no value
	FormInvalid             // bytes that are not an attribute
)

// Field is a value in a message: an attribute, a member of a struct, or an element of an array.
// Raw is part of the message, not a copy.
type Field struct {
	// Name is the name in the spec; "" for elements of arrays, padding and unknown attributes.
	Name string
	// Attr describes an attribute; nil for members, elements and unknown attributes.
	Attr *Attr
	// Type is the type number of an attribute and the index of an element.
	Type uint16
	Form Form
	// Member marks a value of a fixed header or of a struct.
	Member bool
	// Unknown marks an attribute that the spec lacks.
	Unknown bool
	// Untyped marks bytes of unknown format: an attribute or a kind that the spec lacks, or a
	// payload that has not the size of its type.
	Untyped bool
	// Offset is the distance in bytes from the start of the message: to the header of an
	// attribute, or to the first byte of a member.
	Offset int
	// Len is the length in bytes, of an attribute with its header and without padding.
	Len int
	// Raw is the payload of an attribute, or the bytes of a member.
	Raw []byte
	// Rest is the number of bytes at the end of Raw after the members in the spec. Newer
	// kernels append members.
	Rest int
	// Fields are the parts of objects and arrays in the order of the message. The memory
	// belongs to the Decoder.
	Fields []Field

	number  uint64
	layout  *Layout
	set     *Set // of the attributes in it
	integer bool // number is set
}

// Uint returns the value of a number, converted to uint64 if it is negative.
func (f *Field) Uint() uint64 { return f.number }

// Int returns the value of a number.
func (f *Field) Int() int64 { return int64(f.number) }

// IsInteger reports whether the field is a number, also if it is printed as a name or by a hint.
func (f *Field) IsInteger() bool { return f.integer }

// Bytes returns Raw, of a text without its final NUL.
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

// Bits yields the name and the number of each set bit, the lowest first. The name of a bit
// without a name is "".
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

// EnumName returns the name of the value of a FormEnum, and whether it has a name.
func (f *Field) EnumName() (string, bool) {
	if f.layout == nil || f.layout.Enum == nil {
		return "", false
	}
	return f.layout.Enum.ByValue(int64(f.number))
}

// readInteger reads an integer of 1, 2, 4 or 8 bytes and extends a signed one to 64 bits.
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
