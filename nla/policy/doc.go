// Package policy validates netlink attributes as the kernel does (lib/nlattr.c): in the same
// order, with the same errno, text and offset.
//
//	offset 0         8                  20
//	      +---------+------------------+---------+
//	      | 1: u32  | 2: nul-string    | 9: ...  |   a stream of attributes
//	      +---------+------------------+---------+
//	           |             |              |
//	      Rule of 1     Rule of 2      above MaxType: ignored or rejected
//	      {KindU32}     {KindNULString,
//	                     Len: 15}      Report{Msg, Offset: 20, Type: 9}
//
// A client can therefore reject a request before sending it, a server can answer as the kernel
// does, and the attributes in a filled table are known to be valid.
//
// # Index by task
//
//	describe  Policy, Rule, Kind, Check; Range, RangeUnsigned, Min, Max, Mask, ExactLen,
//	          ExactLenWarn, MinLen, MaxLen, Nest, NestArray
//	prepare   Policy.Compile, Policy.Check
//	validate  Parse, Validate with a Mode; Error
//	answer    ParseReport, Report
//	inspect   Policy.MaxType, Rule.String, Rule.SignedRange, Rule.UnsignedRange
package policy
