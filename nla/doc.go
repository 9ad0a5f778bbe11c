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
// len and type are in host byte order. len counts the header and the payload, not the padding.
// Two bits of type are flags ([Nested], [NetByteOrder]); the other 14 bits are the attribute's
// number in the family's header file. The payload of a nested attribute is a stream of
// attributes.
//
// # Index by task
//
//	walk      Walk and its Cursor; All; Consume with ParseError; Find
//	inspect   Attr.Type, RawType, IsNested, IsNetByteOrder, Payload, Clone; Format
//	decode    Attr.Uint8 .. Uint64, Int8 .. Int64, BE16 .. BE64, Uint, Sint,
//	          Bitfield32, Msecs, Flag, CString, Text, Addr; FieldUint
//	          Reader: the same getters; it keeps the first error
//	          Table: the same getters by type, without errors
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
// [Walk] returns a cursor over a stream of attributes. The payload of a nest is a stream, too:
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
// [All] is the short form, for small loop bodies; a return inside its loop costs time. [Consume]
// takes one attribute from the front of a slice. A [Reader] keeps the first error, for code that
// handles many fields. All of them return views: an [Attr] aliases the buffer it was read from
// and is valid until that buffer is reused; [Attr.Clone] makes a copy. A getter returns [ErrSize]
// if the payload has the wrong size. Nothing in this package panics on bytes from the wire.
//
// # Writing
//
// The Append functions append to a slice and return it, like the built-in append. They write the
// padding as zeros. [Size] returns the number of bytes that an attribute takes, so that the
// caller can allocate once. typ may carry flag bits and is written unchanged. A payload longer
// than [MaxPayload] does not fit the length field: it is an error of the caller, and the
// functions panic.
//
// # Nested arrays
//
// The kernel uses two forms. An indexed array is a nest of nests with the index as their type. A
// multi-attr array repeats one type in the parent:
//
//	indexed     OPS{ 1{ID, FLAGS}  2{ID, FLAGS} }     Begin for OPS and for each entry
//	multi-attr  FLOW{...} FLOW{...} FLOW{...}         Begin(b, FLOW) for each entry
package nla
