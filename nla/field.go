package nla

import "encoding/binary"

// Numbers with a width and byte order that are known only at run time: members of structs, and
// attributes defined by a description.

// FieldUint returns the number of width bytes (1, 2, 4 or 8) at an offset of p, for example a
// member of a family's fixed header. order is binary.NativeEndian or binary.BigEndian. It returns
// ErrSize if the number is not inside p, and for other widths.
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

// AppendField appends a number of width bytes (1, 2, 4 or 8) without a header or padding, the
// inverse of FieldUint. Pass a negative number as uint64(v). It returns ErrSize for other widths
// and ErrRange if v does not fit; b is unchanged then.
func AppendField(b []byte, v uint64, width int, order binary.ByteOrder) ([]byte, error) {
	switch {
	case width != 1 && width != 2 && width != 4 && width != 8:
		return b, ErrSize
	case width < 8 && v>>(8*width) != 0 && int64(v)>>(8*width-1) != -1:
		return b, ErrRange
	}
	b = append(b, make([]byte, width)...)
	switch p := b[len(b)-width:]; width {
	case 1:
		p[0] = byte(v)
	case 2:
		order.PutUint16(p, uint16(v))
	case 4:
		order.PutUint32(p, uint32(v))
	case 8:
		order.PutUint64(p, v)
	}
	return b, nil
}

// AppendNumber appends an attribute with a number of width bytes as its payload. It returns the
// errors of AppendField; b is unchanged then.
func AppendNumber(b []byte, typ uint16, v uint64, width int, order binary.ByteOrder) ([]byte, error) {
	mark := len(b)
	b, err := AppendField(BeginNoFlag(b, typ), v, width, order)
	if err != nil {
		return b[:mark], err
	}
	return End(b, mark), nil
}
