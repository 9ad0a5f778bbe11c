// Package nlwire is the root of a netlink library; it has no code. Each package has one purpose and
// uses the packages below it:
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
// To send requests to the kernel use package conn, and package ctrl for families with an ID that the
// kernel assigns at run time (ethtool, nl80211, devlink). To build another library on nlwire use
// packages nla, nlmsg and socket; they do not allocate and have no connections. To test code without a
// kernel, or to offer a family to other processes, use packages bus and bus/usersock.
//
// The codec (errno, nla, nla/policy, nlmsg, genlmsg) runs on every system. Sockets need Linux.
package nlwire

// With this import, "go get github.com/nlwire/nlwire" also adds the checksums of the module
// that the packages require, so that a program that imports one of them builds.
import _ "github.com/nlwire/nlwire/socket"
