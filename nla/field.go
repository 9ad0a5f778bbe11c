package nla

import "encoding/binary"

// Numbers whose width and byte order are known at run time only: members of structs, and
// attributes that a description defines.

// FieldUint returns the number of width bytes (1, 2, 4 or 8) at an offset of p: a member of
// a struct, such as a family's fixed header. order is binary.NativeEndian or
// binary.BigEndian. ErrSize if it is not inside of p, or for another width.
func FieldUint(p []byte, offset, width int, order binary.ByteOrder) (uint64, error) {
	if offset < 0 || offset > len(p) || width < 0 || width > len(p)-offset {
		return 0, ErrSize
	}
	p = p[offset:]
	switch width {
	case 1:
		return uint64(p[0]), nil
	case 2:
		return uint64(order.Uint16(p)), nil
	case 4:
		return uint64(order.Uint32(p)), nil
	case 8:
		return order.Uint64(p), nil
	}
	return 0, ErrSize
}

// AppendField appends a number of width bytes (1, 2, 4 or 8) without a header or padding,
// the inverse of FieldUint. ErrSize for another width, and ErrRange if v has more bits: then
// nothing is appended. A negative number is given as its two's complement of that width.
func AppendField(b []byte, v uint64, width int, order binary.AppendByteOrder) ([]byte, error) {
	switch {
	case width != 1 && width != 2 && width != 4 && width != 8:
		return b, ErrSize
	case width < 8 && v>>(8*width) != 0:
		return b, ErrRange
	}
	switch width {
	case 1:
		return append(b, byte(v)), nil
	case 2:
		return order.AppendUint16(b, uint16(v)), nil
	case 4:
		return order.AppendUint32(b, uint32(v)), nil
	}
	return order.AppendUint64(b, v), nil
}

// AppendNumber appends an attribute whose payload is a number of width bytes; errors are
// those of AppendField.
func AppendNumber(b []byte, typ uint16, v uint64, width int, order binary.AppendByteOrder) ([]byte, error) {
	mark := len(b)
	b, err := AppendField(BeginNoFlag(b, typ), v, width, order)
	if err != nil {
		return b[:mark], err
	}
	return End(b, mark), nil
}
