// Package nlmsg reads and writes netlink messages (struct nlmsghdr of
// linux/netlink.h) without allocating: headers, and the error, acknowledgement
// and done messages with their extended ACK.
//
//	 0          4      6       8        12       16      16+Align(hdrlen)      len
//	+----------+------+-------+--------+--------+---------+-----+--------------+-----+
//	|   len    | type | flags |  seq   | portID | header  | pad |  attributes  | pad |
//	+----------+------+-------+--------+--------+---------+-----+--------------+-----+
//	|<---------------------------- Msg, a view ------------------------------->|
//	                                            |<--------- Payload() -------->|
//	                                                            |<- Attrs(hdrlen)
//
// All fields are in host byte order. len counts the header and the payload. The
// family's fixed header (struct genlmsghdr, ifinfomsg, rtmsg, ...) comes first
// in the payload; attributes follow it.
//
// An error or acknowledgement is the reply to one request; both have the type [TypeError]:
//
//	+--------+-------+-----------------+------------------------+--------------------+
//	| header | errno | request header  | request payload, or    | TLVs, if ACK_TLVS  |
//	|        | s32   | (16 bytes)      | nothing if CAPPED      | (MSG, OFFS, ...)   |
//	+--------+-------+-----------------+------------------------+--------------------+
//
// A dump ends with [TypeDone], which contains the errno and, directly after it, the TLVs.
//
// # Index by task
//
//	read      Walk and its Cursor; All; Consume with ParseError
//	inspect   Msg.Header; Msg.Type, Flags, Seq, PortID, Payload, Attrs, String, Clone
//	answers   ParseAck, ParseAckPayload, ParseDone; ExtAck, ExtAck.Clone
//	validate  Parse, ParseReport, ExtAck.SetReport
//	write     Size, Begin, End, Msg.SetSeq, SetFlags; b[:mark] cancels
//	answer    AppendAck, AppendDone with AckOptions
//
// # Reading
//
// [Consume] takes one message from the front of a datagram, [All] iterates over all messages, and
// a [Cursor] is the fastest way to iterate. A [Msg] aliases the datagram and is valid until that
// buffer is reused. Nothing in this package panics on bytes from the wire.
package nlmsg
