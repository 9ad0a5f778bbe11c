package nla

import (
	"net/netip"
	"strconv"
	"time"
)

// Reader reads attributes and keeps the first error, for code that handles many fields:
//
//	r := nla.NewReader(b)
//	for r.Next() {
//		switch r.Type() {
//		case attrIfindex:
//			dev.Index = r.Uint32()
//		case attrName:
//			dev.Name = string(r.CString())
//		case attrQueue:
//			q := r.Nest()
//			for q.Next() {
//				...
//			}
//			r.Fail(q.Err())
//		}
//	}
//	return r.Err()
//
// After an error Next returns false and the getters of values return zero; Attr, Type, Bytes and
// Nest do not depend on errors. Results of a Reader alias b.
type Reader struct {
	c     Cursor
	a     Attr
	total int // length of the stream
	err   error
}

// FieldError is the error of a Reader for one attribute.
type FieldError struct {
	Type uint16 // of the attribute
	Err  error  // such as ErrSize; for a nest the error of its Reader
}

// Error returns the type of the attribute and the reason.
func (e *FieldError) Error() string {
	return "attribute " + strconv.Itoa(int(e.Type)) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *FieldError) Unwrap() error { return e.Err }

// NewReader returns a Reader of the attributes in b.
func NewReader(b []byte) Reader { return Reader{c: Walk(b), total: len(b)} }

// Next advances to the next attribute and reports whether there is one.
func (r *Reader) Next() bool {
	r.a = nil
	if r.err != nil {
		return false
	}
	if !r.c.More() {
		if err := r.c.Err(); err != nil {
			r.err = &SyntaxError{r.total - r.c.len(), err}
		}
		return false
	}
	r.a = r.c.Attr()
	r.c = r.c.Next()
	return true
}

// Err returns the first error: a *FieldError from a getter or Fail, or a *SyntaxError if the
// stream is malformed.
func (r *Reader) Err() error { return r.err }

// Attr returns the current attribute, or nil before the first Next and after the last attribute.
func (r *Reader) Attr() Attr { return r.a }

// Type returns the type of the current attribute without the flag bits.
func (r *Reader) Type() uint16 { return r.a.Type() }

// Bytes returns the payload of the current attribute, or nil if there is none.
func (r *Reader) Bytes() []byte { return r.a.Payload() }

// Nest returns a Reader of the attributes in the current one. Pass its error to Fail after
// reading.
func (r *Reader) Nest() Reader { return NewReader(r.a.Payload()) }

// Fail records err as a *FieldError of the current attribute, for example the error of a nest. It
// does nothing if err is nil or the Reader has an error already.
func (r *Reader) Fail(err error) {
	if err != nil && r.err == nil {
		r.err = &FieldError{r.a.Type(), err}
	}
}

// note records err and returns v, or zero if the Reader has an error.
func note[T any](r *Reader, v T, err error) T {
	if r.Fail(err); r.err != nil {
		var zero T
		return zero
	}
	return v
}

// Uint8 is Attr.Uint8.
func (r *Reader) Uint8() uint8 { v, err := r.a.Uint8(); return note(r, v, err) }

// Uint16 is Attr.Uint16.
func (r *Reader) Uint16() uint16 { v, err := r.a.Uint16(); return note(r, v, err) }

// Uint32 is Attr.Uint32.
func (r *Reader) Uint32() uint32 { v, err := r.a.Uint32(); return note(r, v, err) }

// Uint64 is Attr.Uint64.
func (r *Reader) Uint64() uint64 { v, err := r.a.Uint64(); return note(r, v, err) }

// Int8 is Attr.Int8.
func (r *Reader) Int8() int8 { v, err := r.a.Int8(); return note(r, v, err) }

// Int16 is Attr.Int16.
func (r *Reader) Int16() int16 { v, err := r.a.Int16(); return note(r, v, err) }

// Int32 is Attr.Int32.
func (r *Reader) Int32() int32 { v, err := r.a.Int32(); return note(r, v, err) }

// Int64 is Attr.Int64.
func (r *Reader) Int64() int64 { v, err := r.a.Int64(); return note(r, v, err) }

// BE16 is Attr.BE16.
func (r *Reader) BE16() uint16 { v, err := r.a.BE16(); return note(r, v, err) }

// BE32 is Attr.BE32.
func (r *Reader) BE32() uint32 { v, err := r.a.BE32(); return note(r, v, err) }

// BE64 is Attr.BE64.
func (r *Reader) BE64() uint64 { v, err := r.a.BE64(); return note(r, v, err) }

// Uint is Attr.Uint.
func (r *Reader) Uint() uint64 { v, err := r.a.Uint(); return note(r, v, err) }

// Sint is Attr.Sint.
func (r *Reader) Sint() int64 { v, err := r.a.Sint(); return note(r, v, err) }

// Bitfield32 is Attr.Bitfield32.
func (r *Reader) Bitfield32() Bitfield32 { v, err := r.a.Bitfield32(); return note(r, v, err) }

// Msecs is Attr.Msecs.
func (r *Reader) Msecs() time.Duration { v, err := r.a.Msecs(); return note(r, v, err) }

// Flag is Attr.Flag.
func (r *Reader) Flag() bool { v, err := r.a.Flag(); return note(r, v, err) }

// CString is Attr.CString.
func (r *Reader) CString() []byte { v, err := r.a.CString(); return note(r, v, err) }

// Text is Attr.Text.
func (r *Reader) Text() []byte { v, err := r.a.Text(); return note(r, v, err) }

// Addr is Attr.Addr.
func (r *Reader) Addr() netip.Addr { v, err := r.a.Addr(); return note(r, v, err) }
