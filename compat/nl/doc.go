// Package nl is the part of github.com/vishvananda/netlink/nl that moves and cuts
// messages, on nlwire: attributes, requests, sockets and subscriptions.
//
//	nl        RtAttr, NetlinkRequest, NetlinkSocket, Subscribe, ParseRouteAttr, ...
//	nla       cuts and writes the attributes
//	nlmsg     cuts datagrams into messages; reads ACKs and their extended ACK
//	socket    opens, sends, waits and receives; enters network namespaces
//
// It is an overlay, no library to import: the rest of that package, some 200 types of
// single families, is not here. The command overlay makes a copy of that module in which
// the files of this package take the place of the declarations with the same names:
//
//	go run ./overlay -o DIR
//
// docs/embedding-nl.md describes how it is used and what differs from the original.
//
// It is a module of its own so that those who import nlwire never see what it needs.
package nl
