// Package genlmsg reads and writes the header of Generic Netlink messages (struct genlmsghdr of
// linux/genetlink.h) and defines that file's constants.
//
//	 0         16    17        18         20              20+Align(hdrsize)
//	+---------+-----+---------+----------+---------+-----+------------+
//	| nlmsg   | cmd | version | reserved | user    | pad | attributes |
//	| header  | u8  | u8      | u16      | header  |     |            |
//	+---------+-----+---------+----------+---------+-----+------------+
//	          |<-------- Header -------->|
//	          |<------------------- nlmsg payload ------------------->|
//
// The type of the netlink message is the ID of the family. The controller (package ctrl)
// translates a family's name to its ID. Most families have no user header: their hdrsize is 0.
//
// # Index by task
//
//	read      Consume, UserHeader, Attrs
//	inspect   Header.Cmd, Header.Version, Header.Reserved
//	write     Append, AppendUserHeader
//	look up   IDCtrl, NameSize, CtrlCmd..., CtrlAttr..., Op flags, policy flags
package genlmsg
