//go:build linux && cgo

// Package clib calls libmnl and libnl on plain bytes. LoadMnl and LoadNl load the libraries; they
// return an error if a library or cgo is not available.
package clib

// #cgo LDFLAGS: -ldl
// #include "clib.h"
import "C"

import (
	"errors"
	"sync"
	"unsafe"
)

// Built reports whether this is the cgo build and not the stub.
const Built = true

func load(f func() *C.char) func() error {
	return sync.OnceValue(func() error {
		if text := f(); text != nil {
			return errors.New(C.GoString(text))
		}
		return nil
	})
}

// LoadMnl and LoadNl load a library. Call them before any other function of that library, and not
// concurrently.
var (
	LoadMnl = load(func() *C.char { return C.mnl_load() })
	LoadNl  = load(func() *C.char { return C.nl_load() })
)

// room is the maximum number of pieces per input.
const room = 4096

var pieces [room]C.struct_piece

// input copies b to memory aligned for the C structures, followed by zeros.
func input(b []byte) (*C.uint8_t, C.int) {
	aligned := make([]uint64, len(b)/8+16)
	p := unsafe.Pointer(unsafe.SliceData(aligned))
	copy(unsafe.Slice((*byte)(p), 8*len(aligned)), b)
	return (*C.uint8_t)(p), C.int(len(b))
}

func taken(n C.int) []Piece {
	list := make([]Piece, n)
	for i := range list {
		p := &pieces[i]
		list[i] = Piece{At: int(p.at), Len: int(p.len), Type: uint16(p._type), Outside: p.outside != 0}
	}
	return list
}

// MnlMessages and the next three functions iterate over an input.
func MnlMessages(b []byte) []Piece {
	p, n := input(b)
	return taken(C.mnl_messages(p, n, &pieces[0], room))
}

func MnlAttributes(b []byte) []Piece {
	p, n := input(b)
	return taken(C.mnl_attributes(p, n, &pieces[0], room))
}

func NlMessages(b []byte) []Piece {
	p, n := input(b)
	return taken(C.nl_messages(p, n, &pieces[0], room))
}

func NlAttributes(b []byte) []Piece {
	p, n := input(b)
	return taken(C.nl_attributes(p, n, &pieces[0], room))
}

// NlFind returns the offset of the first attribute of the type, or -1 if there is none.
func NlFind(b []byte, typ uint16) int {
	p, n := input(b)
	return int(C.nl_find(p, n, C.int(typ)))
}

// MnlValue and NlValue read one attribute with every getter.
func MnlValue(a []byte) Value {
	p, _ := input(a)
	var v C.struct_value
	C.mnl_value(p, &v)
	return value(&v)
}

func NlValue(a []byte) Value {
	p, _ := input(a)
	var v C.struct_value
	C.nl_value(p, &v)
	return value(&v)
}

func value(v *C.struct_value) Value {
	text := C.GoStringN(&v.text[0], C.int(v.text_len))
	return Value{U8: uint8(v.u8), U16: uint16(v.u16), U32: uint32(v.u32), U64: uint64(v.u64), Valid: uint32(v.valid), Text: text}
}

// NlParse calls nla_parse and returns the offset of the attribute of each type, or -1.
func NlParse(b []byte, rules []Rule) (table []int, errno int) {
	p, n := input(b)
	list := make([]C.struct_rule, len(rules))
	for i, r := range rules {
		list[i] = C.struct_rule{C.uint16_t(r.Type), C.uint16_t(r.Min), C.uint16_t(r.Max)}
	}
	places := make([]C.int32_t, len(rules))
	err := C.nl_parse_attributes(p, n, &list[0], C.int(len(rules)-1), &places[0])
	for _, at := range places {
		table = append(table, int(at))
	}
	return table, int(err)
}

// MnlAnswer and NlAnswer handle a datagram with an answer. They return the result of the handler
// and the errno in the answer.
func MnlAnswer(b []byte) (result, errno int) {
	p, n := input(b)
	var e C.int
	result = int(C.mnl_answer(p, n, &e))
	return result, int(e)
}

func NlAnswer(b []byte) (result, errno int) {
	p, n := input(b)
	var e C.int
	result = int(C.nl_answer(p, n, &e))
	return result, int(e)
}

// NlFamily reads a message of the controller.
func NlFamily(m []byte) (Family, int) {
	p, _ := input(m)
	var f C.struct_family
	err := C.nl_family(p, &f)
	return Family{uint32(f.id), uint32(f.version), uint32(f.header), uint32(f.max_attr), C.GoString(&f.name[0])}, int(err)
}

// MnlBuild and NlBuild run a program of puts and return the message.
func MnlBuild(program []byte) []byte {
	p, n := input(program)
	out := make([]uint64, 1<<13)
	size := C.mnl_build(p, n, (*C.uint8_t)(unsafe.Pointer(&out[0])), 1<<16)
	return unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), 1<<16)[:size]
}

func NlBuild(program []byte) []byte {
	p, n := input(program)
	out := make([]uint64, 1<<13)
	size := C.nl_build(p, n, (*C.uint8_t)(unsafe.Pointer(&out[0])), 1<<16)
	return unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), 1<<16)[:size]
}
