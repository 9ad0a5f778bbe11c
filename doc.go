// Package nlwire is the root of a netlink library; it has no code. Each package does one
// thing, and uses those below it:
//
//	 nlctl   a command: list, show, call, monitor, decode
//	---------------------------------------------------------------
//	 ctrl    Generic Netlink families, groups and policies by name
//	 conn    requests: Do, Dump, Batch, Subscribe, Pin
//	---------------------------------------------------------------
//	 socket  AF_NETLINK sockets          bus  the Generic Netlink
//	                                          bus in this process
//	---------------------------------------------------------------
//	 genlmsg the header of Generic Netlink messages
//	 nlmsg   messages, acknowledgements with extended ACK
//	 policy  (nla/policy) the kernel's validation of attributes
//	 nla     attributes
//	 errno   Linux's error numbers
//
// To talk to the kernel use package conn, and package ctrl for families that have no number
// of their own (ethtool, nl80211, devlink). To build another library on nlwire use packages
// nla, nlmsg and socket; they allocate nothing and know no connection. To test code without a
// kernel, or to offer a family to other processes, use package bus, and bus/usersock.
//
// The codec (errno, nla, nla/policy, nlmsg, genlmsg) runs on every system; sockets are
// Linux's.
package nlwire

// With this import, "go get github.com/nlwire/nlwire" also adds the checksums of the module
// that the packages require, so that a program that imports one of them builds.
import _ "github.com/nlwire/nlwire/socket"
