// Package policy validates netlink attributes as the kernel does (lib/nlattr.c): in the same
// order, with the same errno, text and offset.
//
//	offset 0         8                  20
//	      +---------+------------------+---------+
//	      | 1: u32  | 2: nul-string    | 9: ...  |   a stream of attributes
//	      +---------+------------------+---------+
//	           |             |              |
//	      Rule of 1     Rule of 2      above MaxType: ignored, or refused
//	      {KindU32}     {KindNULString,
//	                     Len: 15}      Report{Msg, Offset: 20, Type: 9}
//
// So a request can be refused before it is sent, an answer can be given as the kernel gives
// it, and what is in a table is safe to read.
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
