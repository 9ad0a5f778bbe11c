package ynl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/internal/literal"
	"github.com/nlwire/nlwire/nla"
)

// integer is a signed or unsigned number of 64 bits. The value of a negative number is converted to
// uint64.
type integer struct {
	value    uint64
	negative bool
}

// truth reports whether a flag with the value v is set.
func (v Value) truth() bool {
	switch v.Kind {
	case KindBool:
		return v.Bool
	case KindNumber, KindString:
		return v.Text != "" && v.Text != "0" && v.Text != "false"
	case KindList:
		return len(v.Items) > 0
	case KindObject:
		return len(v.Pairs) > 0
	}
	return false
}

// parseInteger reads a number in the form of literal.Uint, with a sign, or a number of JSON.
func parseInteger(v Value) (integer, error) {
	switch v.Kind {
	case KindBool:
		if v.Bool {
			return integer{value: 1}, nil
		}
		return integer{}, nil
	case KindNumber, KindString:
	default:
		return integer{}, wrongKind(v, "a number")
	}
	text := v.Text
	if n, err := parseNumber(text); err == nil {
		return n, nil
	} else if errors.Is(err, strconv.ErrRange) {
		return integer{}, fmt.Errorf("%s does not fit into 64 bits", text)
	}
	if v.Kind == KindNumber && len(text) < 64 { // 1e3 or 2.0
		if r, ok := new(big.Rat).SetString(text); ok && r.IsInt() && len(r.Num().String()) <= 20 {
			return parseNumber(r.Num().String())
		}
	}
	return integer{}, fmt.Errorf("%s is not a number", strconv.Quote(text))
}

func parseNumber(text string) (integer, error) {
	digits, negative := strings.CutPrefix(text, "-")
	n, err := literal.Uint(digits, 64)
	if err != nil {
		return integer{}, err
	}
	if negative && n > 0 {
		if n > 1<<63 {
			return integer{}, strconv.ErrRange
		}
		return integer{-n, true}, nil
	}
	return integer{value: n}, nil
}

// scalar returns the number of a value: a number, names of an enum, or text in the form of the
// attribute's hint.
func scalar(l *Layout, v Value) (integer, error) {
	n, err := parseInteger(v)
	if err == nil {
		return n, nil
	}
	if l.Enum != nil {
		return enumValue(l, v)
	}
	if v.Kind == KindString {
		switch l.Hint {
		case HintIPv4, HintIPv6, HintIP:
			return addrValue(v.Text)
		case HintHex:
			if n, err := strconv.ParseUint(v.Text, 16, 64); err == nil {
				return integer{value: n}, nil
			}
		}
	}
	return n, err
}

// addrValue returns an IPv4 address as a number.
func addrValue(text string) (integer, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return integer{}, fmt.Errorf("%q is not an IPv4 address", text)
	}
	b := a.As4()
	return integer{value: uint64(binary.BigEndian.Uint32(b[:]))}, nil
}

// enumValue returns the number of a name or of a set of names. A set is a list, or a text with
// commas or bars between names. A number in a set is one or several bits: 0x100000.
func enumValue(l *Layout, v Value) (integer, error) {
	if !l.Flags {
		if v.Kind != KindString {
			return integer{}, wrongKind(v, "a number or a name of "+strconv.Quote(l.Enum.Name))
		}
		return enumNumber(l.Enum, v.Text)
	}
	items := v.Items
	switch v.Kind {
	case KindList:
	case KindString:
		for _, name := range strings.FieldsFunc(v.Text, func(r rune) bool { return r == ',' || r == '|' }) {
			items = append(items, Value{Kind: KindString, Text: name})
		}
	default:
		return integer{}, wrongKind(v, "names of "+strconv.Quote(l.Enum.Name))
	}
	var set uint64
	for _, item := range items {
		bits, err := enumBits(l.Enum, item)
		if err != nil {
			return integer{}, err
		}
		set |= bits
	}
	return integer{value: set}, nil
}

// enumBits returns the bits of an item of a set: a name, or a number.
func enumBits(e *Enum, item Value) (uint64, error) {
	if item.Kind != KindString && item.Kind != KindNumber {
		return 0, wrongKind(item, "a name of "+strconv.Quote(e.Name))
	}
	if _, isName := e.ByName(item.Text); !isName {
		if n, err := parseInteger(item); err == nil && !n.negative {
			return n.value, nil
		}
	}
	bit, err := enumNumber(e, item.Text)
	if err == nil && (bit.negative || bit.value > 63) {
		err = fmt.Errorf("%q is not a bit", item.Text)
	}
	return 1 << (bit.value & 63), err
}

// enumNumber returns the number of a name. Unknown(7) is the name of a decoded number without a name.
func enumNumber(e *Enum, name string) (integer, error) {
	if n, ok := e.ByName(name); ok {
		return integer{uint64(n), n < 0}, nil
	}
	if inner, ok := strings.CutPrefix(name, "Unknown("); ok {
		if n, err := parseNumber(strings.TrimSuffix(inner, ")")); err == nil {
			return n, nil
		}
	}
	return integer{}, fmt.Errorf("%q is not in %q: %s", name, e.Name, e.list())
}

// list returns the first names of the entries, for an error.
func (e *Enum) list() string {
	const most = 12
	var names []string
	for i, x := range e.Entries {
		if i == most {
			names = append(names, "...")
			break
		}
		names = append(names, x.Name)
	}
	return strings.Join(names, ", ")
}

// appendScalar appends a number of a type.
func appendScalar(b []byte, l *Layout, t Type, v Value) ([]byte, error) {
	n, err := scalar(l, v)
	if err != nil {
		return b, err
	}
	width := t.Width()
	if width == 0 { // TypeUint, TypeSint
		width = 4
		if !n.fits(t, 32) {
			width = 8
		}
	}
	if !n.fits(t, 8*width) {
		return b, fmt.Errorf("%s does not fit into %s", v.Text, t)
	}
	var order binary.ByteOrder = binary.NativeEndian
	switch l.Order {
	case BigEndian:
		order = binary.BigEndian
	case LittleEndian:
		order = binary.LittleEndian
	}
	value := n.value
	if width < 8 {
		value &= 1<<(8*width) - 1
	}
	return nla.AppendField(b, value, width, order)
}

// fits reports whether the number is in the range of a type with that many bits.
func (n integer) fits(t Type, bits int) bool {
	if t.IsSigned() {
		if n.negative {
			return int64(n.value) >= -1<<(bits-1)
		}
		return n.value <= 1<<(bits-1)-1
	}
	return !n.negative && (bits == 64 || n.value < 1<<bits)
}

// parseHex reads bytes in hex.
func parseHex(v Value) ([]byte, error) {
	switch v.Kind {
	case KindString, KindNumber:
	default:
		return nil, wrongKind(v, "bytes in hex")
	}
	p, err := literal.Bytes(v.Text)
	if err != nil {
		return nil, fmt.Errorf("%.40q is %w", v.Text, err)
	}
	return p, nil
}

// parseBytes reads bytes in the form of their hint, or in hex.
func parseBytes(v Value, h Hint) ([]byte, error) {
	if v.Kind != KindString {
		return parseHex(v)
	}
	switch h {
	case HintIPv4, HintIPv6, HintIP:
		if a, err := netip.ParseAddr(v.Text); err == nil && a.Zone() == "" {
			return a.AsSlice(), nil
		}
		p, err := parseHex(v)
		if err != nil {
			err = fmt.Errorf("%.60q is not an IP address", v.Text)
		}
		return p, err
	case HintMAC:
		p, err := parseHex(v)
		if err != nil {
			err = fmt.Errorf("%.60q is not a hardware address", v.Text)
		}
		return p, err
	case HintUUID:
		v.Text = strings.ReplaceAll(v.Text, "-", "")
	}
	return parseHex(v)
}
