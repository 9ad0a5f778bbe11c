package nla

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/test/guard"
)

// The compiler cannot drop calls with results stored here.
var (
	sinkBytes []byte
	sinkAttr  Attr
	sinkInt   int
	sinkU64   uint64
	sinkErr   error
	sinkBool  bool
	sinkAddr  netip.Addr

	addr4, addr6 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
)

func TestNoAllocs(t *testing.T) {
	buf := make([]byte, 0, 256)
	a8, _ := Consume(AppendUint8(nil, 1, 7))
	a16, _ := Consume(AppendUint16(nil, 1, 7))
	a32, _ := Consume(AppendUint32(nil, 1|Nested, 7))
	a64, _ := Consume(AppendUint64(nil, 1, 7))
	text, _ := Consume(AppendCString(nil, 1, "eth0"))
	stream := append(append(append([]byte(nil), a32...), a64...), a32...)
	broken := []byte{8, 0}

	get := func(f func(Attr) (uint64, error)) func() {
		return func() {
			for _, a := range []Attr{nil, a8, a16, a32, a64, text} {
				sinkU64, sinkErr = f(a)
			}
		}
	}
	put := func(f func([]byte) []byte) func() {
		return func() { sinkBytes = f(buf[:0]) }
	}
	rows := map[string]func(){
		"Align":        func() { sinkInt = Align(sinkInt) },
		"Size":         func() { sinkInt = Size(3) },
		"Attr.Type":    func() { sinkU64 = uint64(a8.Type()) + uint64(Attr(nil).Type()) },
		"Attr.RawType": func() { sinkU64 = uint64(a32.RawType()) + uint64(Attr(nil).RawType()) },
		"Attr.Addr":    func() { sinkAddr, sinkErr = a32.Addr(); sinkAddr, sinkErr = a8.Addr() },
		"AppendAddr":   func() { sinkBytes = AppendAddr(AppendAddr(buf[:0], 1, addr4), 1, addr6) },
		"FieldUint": func() {
			sinkU64, sinkErr = FieldUint(stream, 4, 4, binary.BigEndian)
			sinkU64, sinkErr = FieldUint(nil, 4, 4, ne)
		},
		"AppendField": func() { sinkBytes, sinkErr = AppendField(buf[:0], 7, 2, binary.BigEndian) },
		"AppendNumber": func() {
			sinkBytes, sinkErr = AppendNumber(buf[:0], 1, 7, 2, ne)
			sinkBytes, sinkErr = AppendNumber(buf[:0], 1, 700, 1, ne)
		},
		"Walk":                func() { sinkBool = Walk(stream).More() },
		"Cursor.More":         func() { sinkBool = Walk(broken).More() },
		"Cursor.Attr":         func() { sinkAttr = Walk(stream).Attr(); sinkAttr = Walk(broken).Attr() },
		"Cursor.Type":         func() { sinkU64 = uint64(Walk(stream).Type()) + uint64(Walk(broken).Type()) },
		"Cursor.Next":         func() { sinkAttr = Walk(stream).Next().Attr(); sinkAttr = Walk(broken).Next().Attr() },
		"Cursor.Err":          func() { sinkErr = Walk(stream).Err(); sinkErr = Walk(broken).Err() },
		"Attr.IsNested":       func() { sinkBool = a32.IsNested() || Attr(nil).IsNested() },
		"Attr.IsNetByteOrder": func() { sinkBool = a32.IsNetByteOrder() || Attr(nil).IsNetByteOrder() },
		"Attr.Payload":        func() { sinkBytes = a8.Payload(); sinkBytes = Attr(nil).Payload() },
		"Consume":             func() { sinkAttr, sinkInt = Consume(stream); sinkAttr, sinkInt = Consume(broken) },
		"ParseError":          func() { sinkErr = ParseError(9 - codeBase); sinkErr = ParseError(4) },
		"All": func() {
			for a, err := range All(stream) {
				sinkAttr, sinkErr = a, err
			}
		},
		"Find": func() { sinkAttr = Find(stream, 9); sinkAttr = Find(stream, 1); sinkAttr = Find(broken, 1) },

		"Attr.Uint8":  get(func(a Attr) (uint64, error) { v, err := a.Uint8(); return uint64(v), err }),
		"Attr.Uint16": get(func(a Attr) (uint64, error) { v, err := a.Uint16(); return uint64(v), err }),
		"Attr.Uint32": get(func(a Attr) (uint64, error) { v, err := a.Uint32(); return uint64(v), err }),
		"Attr.Uint64": get(func(a Attr) (uint64, error) { return a.Uint64() }),
		"Attr.Int8":   get(func(a Attr) (uint64, error) { v, err := a.Int8(); return uint64(v), err }),
		"Attr.Int16":  get(func(a Attr) (uint64, error) { v, err := a.Int16(); return uint64(v), err }),
		"Attr.Int32":  get(func(a Attr) (uint64, error) { v, err := a.Int32(); return uint64(v), err }),
		"Attr.Int64":  get(func(a Attr) (uint64, error) { v, err := a.Int64(); return uint64(v), err }),
		"Attr.BE16":   get(func(a Attr) (uint64, error) { v, err := a.BE16(); return uint64(v), err }),
		"Attr.BE32":   get(func(a Attr) (uint64, error) { v, err := a.BE32(); return uint64(v), err }),
		"Attr.BE64":   get(func(a Attr) (uint64, error) { return a.BE64() }),
		"Attr.Uint":   get(func(a Attr) (uint64, error) { return a.Uint() }),
		"Attr.Sint":   get(func(a Attr) (uint64, error) { v, err := a.Sint(); return uint64(v), err }),
		"Attr.Msecs":  get(func(a Attr) (uint64, error) { v, err := a.Msecs(); return uint64(v), err }),
		"Attr.Bitfield32": get(func(a Attr) (uint64, error) {
			v, err := a.Bitfield32()
			return uint64(v.Value), err
		}),
		"Attr.Flag":    get(func(a Attr) (uint64, error) { v, err := a.Flag(); sinkBool = v; return 0, err }),
		"Attr.CString": get(func(a Attr) (uint64, error) { v, err := a.CString(); return uint64(len(v)), err }),
		"Attr.Text":    get(func(a Attr) (uint64, error) { v, err := a.Text(); return uint64(len(v)), err }),

		"AppendUint8":      put(func(b []byte) []byte { return AppendUint8(b, 1, 2) }),
		"AppendUint16":     put(func(b []byte) []byte { return AppendUint16(b, 1, 2) }),
		"AppendUint32":     put(func(b []byte) []byte { return AppendUint32(b, 1, 2) }),
		"AppendUint64":     put(func(b []byte) []byte { return AppendUint64(b, 1, 2) }),
		"AppendInt8":       put(func(b []byte) []byte { return AppendInt8(b, 1, -2) }),
		"AppendInt16":      put(func(b []byte) []byte { return AppendInt16(b, 1, -2) }),
		"AppendInt32":      put(func(b []byte) []byte { return AppendInt32(b, 1, -2) }),
		"AppendInt64":      put(func(b []byte) []byte { return AppendInt64(b, 1, -2) }),
		"AppendBE16":       put(func(b []byte) []byte { return AppendBE16(b, 1, 2) }),
		"AppendBE32":       put(func(b []byte) []byte { return AppendBE32(b, 1, 2) }),
		"AppendBE64":       put(func(b []byte) []byte { return AppendBE64(b, 1, 2) }),
		"AppendUint":       put(func(b []byte) []byte { return AppendUint(AppendUint(b, 1, 2), 1, 1<<40) }),
		"AppendSint":       put(func(b []byte) []byte { return AppendSint(AppendSint(b, 1, -2), 1, -1<<40) }),
		"AppendBitfield32": put(func(b []byte) []byte { return AppendBitfield32(b, 1, Bitfield32{1, 3}) }),
		"AppendMsecs":      put(func(b []byte) []byte { return AppendMsecs(b, 1, time.Second) }),
		"AppendFlag":       put(func(b []byte) []byte { return AppendFlag(b, 1) }),
		"AppendCString":    put(func(b []byte) []byte { return AppendCString(b, 1, "nlctrl") }),
		"AppendText":       put(func(b []byte) []byte { return AppendText(b, 1, "nlctrl") }),
		"AppendBytes":      put(func(b []byte) []byte { return AppendBytes(b, 1, stream) }),
		"AppendAttr":       put(func(b []byte) []byte { return AppendAttr(AppendAttr(b, a8), nil) }),
		"AppendPad64":      put(func(b []byte) []byte { return AppendPad64(AppendPad64(b, 1), 1) }),
		"Begin":            put(func(b []byte) []byte { return Begin(b, 1) }),
		"BeginNoFlag":      put(func(b []byte) []byte { return BeginNoFlag(b, 1) }),
		"End":              put(func(b []byte) []byte { return End(AppendUint8(Begin(b, 1), 1, 2), 0) }),
		"TryEnd":           func() { sinkBytes, sinkErr = TryEnd(Begin(buf[:0], 1), 0); sinkBytes, sinkErr = TryEnd(buf[:0], 9) },
		"SyntaxError.Unwrap": func() {
			sinkErr = (&SyntaxError{4, ErrOverrun}).Unwrap()
		},
	}
	maps.Copy(rows, tableRows())
	maps.Copy(rows, readerRows(stream))
	guard.Allocs(t, rows, map[string]string{
		"NewTable":          "allocates a table",
		"Format":            "returns text",
		"FieldError.Error":  "returns text",
		"Attr.Clone":        "returns a copy",
		"SyntaxError.Error": "returns text",
	})
}

// A failing walk allocates at most one error value.
func TestAllAllocatesOneErrorAtMost(t *testing.T) {
	broken := append(AppendUint32(nil, 1, 2), 1, 0, 0, 0)
	allocs := testing.AllocsPerRun(100, func() {
		for _, err := range All(broken) {
			sinkErr = err
		}
	})
	if allocs > 1 || sinkErr == nil {
		t.Errorf("%v allocations and error %v, want at most one of each", allocs, sinkErr)
	}
}

// The speed of this package depends on inlining.
func TestInlining(t *testing.T) {
	guard.Inlining(t,
		"Align", "Size", "Consume", "ParseError", "All", "All.func1",
		"Walk", "Cursor.More", "Cursor.Attr", "Cursor.Type", "Cursor.Next",
		"Attr.Type", "Attr.RawType", "Attr.IsNested", "Attr.IsNetByteOrder", "Attr.Payload",
		"Attr.Uint8", "Attr.Uint16", "Attr.Uint32", "Attr.Uint64",
		"Attr.Int8", "Attr.Int16", "Attr.Int32", "Attr.Int64",
		"Attr.BE16", "Attr.BE32", "Attr.BE64", "Attr.Uint", "Attr.Sint",
		"Attr.Bitfield32", "Attr.Msecs", "Attr.Flag",
		"AppendUint8", "AppendUint16", "AppendUint32", "AppendUint64",
		"AppendInt8", "AppendInt16", "AppendInt32", "AppendInt64",
		"AppendBE16", "AppendBE32", "AppendBE64", "AppendUint",
		"AppendBitfield32", "AppendMsecs", "AppendFlag",
		"AppendCString", "AppendText", "AppendBytes", "AppendAttr", "AppendPad64",
		"Begin", "BeginNoFlag", "End",
		"Cursor.Err", "Attr.CString", "Attr.Text", "NewReader",
		"(*Table).Get", "(*Table).Has", "(*Table).Flag", "(*Table).Bytes",
		"(*Table).Uint8", "(*Table).Uint16", "(*Table).Uint32", "(*Table).Uint64",
		"(*Table).BE16", "(*Table).BE32", "(*Table).BE64",
	)
}

func TestImports(t *testing.T) {
	guard.Imports(t, "fmt", "reflect")
	guard.OnlyIn(t, "unsafe", "unsafe.go")
}

// Slots in a local array stay on the stack if a nest from the table is read with Walk or Consume.
func TestLocalSlotsStayOnTheStack(t *testing.T) {
	b := AppendBytes(AppendCString(nil, 1, "eth0"), 2, AppendUint32(nil, 3, 7))
	read := func() (name, value int) {
		var slots [8]uint32
		tb := Table{Slots: slots[:]}
		sinkErr = tb.Read(b)
		for c := Walk(tb.Bytes(2)); c.More(); c = c.Next() {
			v, _ := c.Attr().Uint32()
			value += int(v)
		}
		for nest := tb.Bytes(2); len(nest) > 0; {
			a, n := Consume(nest)
			v, _ := a.Uint32()
			value, nest = value+int(v), nest[n:]
		}
		return len(tb.Text(1)), value
	}
	allocs := testing.AllocsPerRun(100, func() {
		if name, value := read(); name != 4 || value != 14 {
			panic("wrong values")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}

// tableRows returns the rows for a full table and for an empty one.
func tableRows() map[string]func() {
	var stream []byte
	for i := range uint16(20) {
		stream = AppendBytes(stream, i, make([]byte, i))
	}
	full, empty := &Table{Slots: make([]uint32, 20)}, &Table{}
	if err := full.Read(stream); err != nil {
		panic(err)
	}
	get := func(f func(*Table, uint16)) func() {
		return func() {
			for typ := range uint16(len(full.Slots)) {
				f(full, typ)
				f(empty, typ)
			}
		}
	}
	return map[string]func(){
		"Table.Read":       func() { sinkErr = full.Read(stream) },
		"Table.Get":        get(func(tb *Table, typ uint16) { sinkAttr = tb.Get(typ) }),
		"Table.Has":        get(func(tb *Table, typ uint16) { sinkBool = tb.Has(typ) }),
		"Table.Flag":       get(func(tb *Table, typ uint16) { sinkBool = tb.Flag(typ) }),
		"Table.Uint8":      get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Uint8(typ)) }),
		"Table.Uint16":     get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Uint16(typ)) }),
		"Table.Uint32":     get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Uint32(typ)) }),
		"Table.Uint64":     get(func(tb *Table, typ uint16) { sinkU64 = tb.Uint64(typ) }),
		"Table.Int8":       get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Int8(typ)) }),
		"Table.Int16":      get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Int16(typ)) }),
		"Table.Int32":      get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Int32(typ)) }),
		"Table.Int64":      get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Int64(typ)) }),
		"Table.BE16":       get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.BE16(typ)) }),
		"Table.BE64":       get(func(tb *Table, typ uint16) { sinkU64 = tb.BE64(typ) }),
		"Table.Addr":       get(func(tb *Table, typ uint16) { sinkAddr = tb.Addr(typ) }),
		"Table.BE32":       get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.BE32(typ)) }),
		"Table.Uint":       get(func(tb *Table, typ uint16) { sinkU64 = tb.Uint(typ) }),
		"Table.Sint":       get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Sint(typ)) }),
		"Table.Bitfield32": get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Bitfield32(typ).Value) }),
		"Table.Msecs":      get(func(tb *Table, typ uint16) { sinkU64 = uint64(tb.Msecs(typ)) }),
		"Table.Text":       get(func(tb *Table, typ uint16) { sinkBytes = tb.Text(typ) }),
		"Table.Bytes":      get(func(tb *Table, typ uint16) { sinkBytes = tb.Bytes(typ) }),
	}
}

// readerRows returns the rows for a Reader; none of them allocates.
func readerRows(stream []byte) map[string]func() {
	nest := AppendBytes(nil, 7|Nested, stream)
	get := func(f func(*Reader)) func() {
		return func() {
			r := NewReader(stream)
			r.Next()
			f(&r)
		}
	}
	of := func(payload []byte, f func(*Reader)) func() {
		b := AppendBytes(nil, 1, payload)
		return func() {
			r := NewReader(b)
			r.Next()
			f(&r)
		}
	}
	n := func(size int) []byte { return make([]byte, size) }
	return map[string]func(){
		"NewReader": func() { sinkBool = NewReader(stream).c.More() },
		"Reader.Next": func() {
			for r := NewReader(stream); r.Next(); {
			}
		},
		"Reader.Err":   get(func(r *Reader) { sinkErr = r.Err() }),
		"Reader.Attr":  get(func(r *Reader) { sinkAttr = r.Attr() }),
		"Reader.Type":  get(func(r *Reader) { sinkU64 = uint64(r.Type()) }),
		"Reader.Bytes": get(func(r *Reader) { sinkBytes = r.Bytes() }),
		"Reader.Nest": func() {
			r := NewReader(nest)
			r.Next()
			in := r.Nest()
			sinkBool = in.Next()
		},
		"Reader.Fail":       get(func(r *Reader) { r.Fail(nil) }),
		"Reader.Uint8":      of(n(1), func(r *Reader) { sinkU64 = uint64(r.Uint8()) }),
		"Reader.Uint16":     of(n(2), func(r *Reader) { sinkU64 = uint64(r.Uint16()) }),
		"Reader.Uint32":     of(n(4), func(r *Reader) { sinkU64 = uint64(r.Uint32()) }),
		"Reader.Uint64":     of(n(8), func(r *Reader) { sinkU64 = r.Uint64() }),
		"Reader.Int8":       of(n(1), func(r *Reader) { sinkU64 = uint64(r.Int8()) }),
		"Reader.Int16":      of(n(2), func(r *Reader) { sinkU64 = uint64(r.Int16()) }),
		"Reader.Int32":      of(n(4), func(r *Reader) { sinkU64 = uint64(r.Int32()) }),
		"Reader.Int64":      of(n(8), func(r *Reader) { sinkU64 = uint64(r.Int64()) }),
		"Reader.BE16":       of(n(2), func(r *Reader) { sinkU64 = uint64(r.BE16()) }),
		"Reader.BE32":       of(n(4), func(r *Reader) { sinkU64 = uint64(r.BE32()) }),
		"Reader.BE64":       of(n(8), func(r *Reader) { sinkU64 = r.BE64() }),
		"Reader.Uint":       of(n(4), func(r *Reader) { sinkU64 = r.Uint() }),
		"Reader.Sint":       of(n(8), func(r *Reader) { sinkU64 = uint64(r.Sint()) }),
		"Reader.Bitfield32": of(n(8), func(r *Reader) { sinkU64 = uint64(r.Bitfield32().Value) }),
		"Reader.Msecs":      of(n(8), func(r *Reader) { sinkU64 = uint64(r.Msecs()) }),
		"Reader.Flag":       of(nil, func(r *Reader) { sinkBool = r.Flag() }),
		"Reader.CString":    of(n(3), func(r *Reader) { sinkBytes = r.CString() }),
		"Reader.Text":       of(n(3), func(r *Reader) { sinkBytes = r.Text() }),
		"Reader.Addr":       of(n(16), func(r *Reader) { sinkAddr = r.Addr() }),
		"FieldError.Unwrap": func() { sinkErr = (&FieldError{1, ErrSize}).Unwrap() },
	}
}
