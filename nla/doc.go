// Package nla reads and writes netlink attributes (struct nlattr of
// linux/netlink.h) without allocating.
//
//	 0       2       4                          n    Align(n)
//	+-------+-------+--------------------------+-----+
//	|  len  | type  |         payload          | pad |   next attribute ...
//	+-------+-------+--------------------------+-----+
//	|<--------------- len = n ---------------->|
//	|<-------------- Attr, a view ------------>|
//	                |<------ Payload() ------->|
//
// len and type are in host byte order. len counts the header and the payload,
// not the padding. Two bits of type are flags ([Nested], [NetByteOrder]); the
// rest is the number that the family's header file gives to the attribute.
// A nested attribute has attributes as its payload.
//
// # Index by task
//
//	walk      Walk and its Cursor; All; Consume with ParseError; Find
//	inspect   Attr.Type, RawType, IsNested, IsNetByteOrder, Payload, Clone; Format
//	decode    Attr.Uint8 .. Uint64, Int8 .. Int64, BE16 .. BE64, Uint, Sint,
//	          Bitfield32, Msecs, Flag, CString, Text, Addr; FieldUint
//	          Reader: the same, and the first error is kept
//	          Table: the same by type, total
//	write     AppendUint8 .. AppendUint64, AppendInt8 .. AppendInt64,
//	          AppendBE16 .. AppendBE64, AppendUint, AppendSint, AppendBitfield32,
//	          AppendMsecs, AppendFlag, AppendCString, AppendText, AppendBytes,
//	          AppendAddr, AppendAttr, AppendNumber; AppendField
//	nest      Begin, BeginNoFlag, End, TryEnd
//	align     Align, Size, AppendPad64
//
// Package policy validates attributes as the kernel does.
//
// # Reading
//
// [Walk] goes through a stream of attributes, and through nests as well:
//
//	c := nla.Walk(b)
//	for ; c.More(); c = c.Next() {
//		var err error
//		switch a := c.Attr(); c.Type() {
//		case attrIfindex:
//			index, err = a.Uint32()
//		case attrName:
//			name, err = a.CString()
//		}
//		if err != nil {
//			return err
//		}
//	}
//	return c.Err()
//
// [All] is the short form, for small bodies: a return inside of its loop costs. [Consume]
// takes one attribute from the front of a slice. A [Reader] keeps the first error, for code
// that handles many fields. All return views: an [Attr] aliases the buffer it was read
// from and is good until that buffer is used again; [Attr.Clone] keeps one.
// A getter of the wrong size returns [ErrSize]; nothing in this package
// panics on bytes from the wire.
//
// # Writing
//
// The Append functions grow a slice and return it, as the built-in append
// does, and write the padding after the payload as zeros. [Size] gives the bytes that each of
// them takes, so that one allocation is enough. Their typ may carry
// flag bits and is written unchanged. A payload over [MaxPayload] does not
// fit into the length field; that is the caller's error and panics.
//
// # Nested arrays
//
// The kernel has two forms. An indexed array is a nest whose entries are nests
// with the index as type; a multi-attr array repeats one type in the parent:
//
//	indexed     OPS{ 1{ID, FLAGS}  2{ID, FLAGS} }     Begin for OPS and for each entry
//	multi-attr  FLOW{...} FLOW{...} FLOW{...}         Begin(b, FLOW) again and again
package nla
