// Package differential contains only tests. They run the client library
// [github.com/mdlayher/genetlink] on the bus. Its Conn uses any Socket, and the tests implement a
// Socket for a port of the bus. Most tests also run on a socket of the kernel and require the same
// results.
//
//	genetlink.Conn      families, Generic Netlink headers
//	netlink.Conn        sequence numbers, locks, multipart messages, attributes
//	portSocket          in the tests: converts between its Message and bytes
//	bus.Port            datagrams
//
// The scenarios are those of the library's own tests of families and connections, written anew. Users
// of the library test their programs in the same way.
//
// The other widely used library, github.com/vishvananda/netlink, does not accept another socket: its
// NetlinkSocket opens a file descriptor. It splits datagrams with [syscall.ParseNetlinkMessage]. The
// tests call that function with datagrams of the bus.
//
// The package is a separate module, so that importing nlwire does not add its dependencies.
package differential
