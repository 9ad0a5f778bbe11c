// Package nl implements the part of github.com/vishvananda/netlink/nl that transfers and
// parses messages, on nlwire: attributes, requests, sockets and subscriptions.
//
//	nl        RtAttr, NetlinkRequest, NetlinkSocket, Subscribe, ParseRouteAttr, ...
//	nla       reads and writes the attributes
//	nlmsg     splits datagrams into messages; reads ACKs and their extended ACK
//	socket    opens, sends, waits and receives; enters network namespaces
//
// It is an overlay and not a library to import: it does not contain the rest of that
// package, some 200 types of single families. The command overlay makes a copy of that
// module in which the files of this package replace the declarations with the same names:
//
//	go run ./overlay -o DIR
//
// docs/embedding.md describes how it is used and what differs from the original.
//
// It is a separate module, so that users of nlwire do not depend on what it requires.
package nl
