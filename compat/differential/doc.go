// Package differential holds tests only: a client that is not of this project, on the
// bus. It is [github.com/mdlayher/genetlink], whose Conn runs over any Socket; the
// tests make one of a port of the bus, and most of them run over a socket of the kernel,
// too, and want the same from both.
//
//	genetlink.Conn      families, Generic Netlink headers
//	netlink.Conn        sequence numbers, locks, multipart messages, attributes
//	portSocket          the tests' own: its Message to and from bytes
//	bus.Port            datagrams
//
// What is tried here is what users of that library test their programs with. The
// scenarios are those of its own tests of families and connections, written anew.
//
// The other widely used library, github.com/vishvananda/netlink, has no place for
// a socket of one's own: its NetlinkSocket is a descriptor, made by itself. Like
// programs of its kind it cuts datagrams with [syscall.ParseNetlinkMessage], which
// is tried here on what the bus sends.
//
// It is a module of its own so that those who import nlwire never see what it needs.
package differential
