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
// # Index by job
//
//	read      Consume, All, Find, ParseError
//	inspect   Attr.Type, Attr.IsNested, Attr.IsNetByteOrder, Attr.Payload, Attr.Clone
//	decode    Attr.Uint8 .. Uint64, Int8 .. Int64, BE16 .. BE64, Uint, Sint,
//	          Bitfield32, Msecs, Flag, CString, Text
//	write     AppendUint8 .. AppendUint64, AppendInt8 .. AppendInt64,
//	          AppendBE16 .. AppendBE64, AppendUint, AppendSint, AppendBitfield32,
//	          AppendMsecs, AppendFlag, AppendCString, AppendText, AppendBytes,
//	          AppendAttr
//	nest      Begin, BeginNoFlag, End; b[:mark] cancels
//	align     Align, Size, AppendPad64
//	describe  Policy, Rule, Kind, Check; Range, Min, Max, Mask, ExactLen, MinLen,
//	          MaxLen, Nest, NestArray; Policy.Compile, Policy.Check
//	validate  Parse, Validate, ParseReport with a Mode; PolicyError, Report
//	look up   Table, filled by Parse
//	export    AppendRule, AppendNestRule, ParseRule, Kind.Exported
//
// # Reading
//
// [Consume] takes one attribute from the front of a slice, [All] ranges over
// all of them. Both return views: an [Attr] aliases the buffer it was read
// from and is good until that buffer is used again. [Attr.Clone] keeps one.
// A getter of the wrong size returns [ErrSize]; nothing in this package
// panics on bytes from the wire.
//
// # Writing
//
// The Append functions grow a slice and return it, as the built-in append
// does, and write the padding behind the payload as zeros. Their typ may carry
// flag bits and is written as it stands. A payload over [MaxPayload] does not
// fit into the length field; that is the caller's error and panics.
//
// # Policies
//
// A [Policy] says what each attribute may hold, as the kernel's tables do, and
// [Parse] applies it as the kernel does: same order, same errno, same text, same
// offset. So a request can be refused before it is sent, an answer can be
// given as the kernel gives it, and what is in a [Table] is safe to read.
//
// # Nested arrays
//
// The kernel has two forms. An indexed array is a nest whose entries are nests
// with the index as type; a multi-attr array repeats one type in the parent:
//
//	indexed     OPS{ 1{ID, FLAGS}  2{ID, FLAGS} }     Begin for OPS and for each entry
//	multi-attr  FLOW{...} FLOW{...} FLOW{...}         Begin(b, FLOW) again and again
package nla
