package nla_test

import (
	"errors"
	"fmt"

	"github.com/nlwire/nlwire/nla"
)

// The numbers come from the family's header file.
const (
	attrIfindex = 1
	attrName    = 2
	attrFlow    = 3
	attrOps     = 6
	attrOpID    = 1
)

// A stream holds two attributes:
//
//	{len 8,  type 1}  u32 7
//	{len 9,  type 2}  "eth0\0"  3 bytes of padding
func ExampleAll() {
	b := nla.AppendUint32(nil, attrIfindex, 7)
	b = nla.AppendCString(b, attrName, "eth0")

	for a, err := range nla.All(b) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch a.Type() {
		case attrIfindex:
			index, err := a.Uint32()
			fmt.Println("ifindex", index, err)
		case attrName:
			name, err := a.CString()
			fmt.Printf("name %s %v\n", name, err)
		}
	}
	// Output:
	// ifindex 7 <nil>
	// name eth0 <nil>
}

// Consume is for code that must not allocate, not even on invalid input.
func ExampleConsume() {
	b := nla.AppendUint16(nil, 4, 80)
	b = append(b, 1, 0) // two bytes that are no attribute

	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			fmt.Println(nla.ParseError(n))
			return
		}
		b = b[n:]
		port, err := a.Uint16()
		fmt.Println("port", port, err)
	}
	// Output:
	// port 80 <nil>
	// nla: attribute header cut short
}

// A nest is written between Begin and End, and read through its payload.
func ExampleBegin() {
	b := nla.Begin(nil, 1)
	b = nla.AppendUint32(b, attrIfindex, 7)
	b = nla.End(b, 0)

	a, _ := nla.Consume(b)
	index, err := nla.Find(a.Payload(), attrIfindex).Uint32()
	fmt.Println(a.IsNested(), index, err)
	// Output: true 7 <nil>
}

// An indexed array is a nest of nests with types that count from 1.
//
//	OPS{ 1{ID 10}  2{ID 20} }
func ExampleBeginNoFlag_indexedArray() {
	b := nla.BeginNoFlag(nil, attrOps)
	for i, id := range []uint32{10, 20} {
		entry := len(b)
		b = nla.BeginNoFlag(b, uint16(i+1))
		b = nla.AppendUint32(b, attrOpID, id)
		b = nla.End(b, entry)
	}
	b = nla.End(b, 0)

	for entry := range nla.All(nla.Find(b, attrOps).Payload()) {
		id, err := nla.Find(entry.Payload(), attrOpID).Uint32()
		fmt.Println(entry.Type(), id, err)
	}
	// Output:
	// 1 10 <nil>
	// 2 20 <nil>
}

// A multi-attr array repeats one type in the parent:
//
//	FLOW 1  FLOW 2
func ExampleAll_multiAttr() {
	b := nla.AppendUint8(nil, attrFlow, 1)
	b = nla.AppendUint8(b, attrFlow, 2)

	for a := range nla.All(b) {
		if a.Type() == attrFlow {
			flow, err := a.Uint8()
			fmt.Println(flow, err)
		}
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
}

// A SyntaxError contains the offset of the malformed attribute.
func ExampleSyntaxError() {
	b := append(nla.AppendFlag(nil, 1), 0, 0, 0, 0) // followed by a zero header

	for _, err := range nla.All(b) {
		var syntax *nla.SyntaxError
		if errors.As(err, &syntax) {
			fmt.Println(syntax.Offset, syntax.Err)
		}
	}
	// Output: 4 nla: attribute length below its header
}
