package main

import (
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/ynl"
)

// writeFields prints a line for each field that has a value.
func writeFields(o *output, indent int, fields []ynl.Field) {
	for i := range fields {
		f := &fields[i]
		if f.Form == ynl.FormPad {
			continue
		}
		o.indent(indent)
		writeName(o, f)
		writeField(o, indent, f)
		_ = o.full() // Flush returns the error at the end
	}
}

// writeName prints the name of a field, or its number if it has none.
func writeName(o *output, f *ynl.Field) {
	switch {
	case f.Form == ynl.FormInvalid:
		o.paint(colorError, "malformed")
	case f.Unknown || f.Name == "":
		o.int(int64(f.Type))
	default:
		o.paint(colorName, f.Name)
	}
}

// writeField prints the value of a field and ends the line.
func writeField(o *output, indent int, f *ynl.Field) {
	switch {
	case f.Form == ynl.FormObject:
		o.text("\n")
		writeFields(o, indent+2, f.Fields)
		return
	case f.Form == ynl.FormArray && !isFlat(f):
		o.text("\n")
		for i := range f.Fields {
			e := &f.Fields[i]
			o.indent(indent + 2)
			o.int(int64(e.Type))
			writeField(o, indent+2, e)
		}
		return
	case f.Form == ynl.FormArray:
		for i := range f.Fields {
			o.text("  "[min(i, 1):])
			writeScalar(o, &f.Fields[i])
		}
	case f.Form == ynl.FormFlag:
	default:
		if len(f.Raw) > 0 {
			o.text("  ")
			writeScalar(o, f)
		}
	}
	o.text("\n")
}

// isFlat reports whether the elements of an array fit into a line.
func isFlat(f *ynl.Field) bool {
	for i := range f.Fields {
		switch f.Fields[i].Form {
		case ynl.FormObject, ynl.FormArray, ynl.FormInvalid:
			return false
		}
	}
	return true
}

// writeScalar prints a value that has no parts.
func writeScalar(o *output, f *ynl.Field) {
	switch f.Form {
	case ynl.FormString:
		o.quote(f.Bytes())
	case ynl.FormUint, ynl.FormInt:
		o.b = f.AppendJSON(o.b)
	case ynl.FormBits:
		writeBits(o, f)
	case ynl.FormEnum:
		if name, ok := f.EnumName(); ok {
			o.text(name)
		} else { // Unknown(7)
			number := strings.TrimPrefix(string(f.AppendJSON(nil)), `"Unknown(`)
			o.text(strings.TrimSuffix(number, `)"`))
		}
	case ynl.FormHint:
		quoted := f.AppendJSON(nil)
		o.b = append(o.b, quoted[1:len(quoted)-1]...)
	case ynl.FormFlag, ynl.FormPad:
		o.text("true")
	default:
		o.hex(f.Raw)
		if text := guess(f.Raw); text != nil {
			o.text("  ")
			o.quote(text)
		}
	}
}

// writeBits prints the names of the bits: "up|running".
func writeBits(o *output, f *ynl.Field) {
	if f.Uint() == 0 {
		o.text("0")
		return
	}
	first := true
	f.Bits(func(name string, bit int) bool {
		if !first {
			o.text("|")
		}
		first = false
		if name == "" {
			name = "0x" + strconv.FormatUint(1<<bit, 16)
		}
		o.text(name)
		return true
	})
}
