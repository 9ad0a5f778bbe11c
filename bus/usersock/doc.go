// Package usersock carries a bus over NETLINK_USERSOCK, from one process to
// others: a [Server] on the side of the bus, a [Client] in place of a socket on the
// other. It is Linux's; elsewhere it builds, and opening a socket fails.
//
//	      the server's process                    a client's process
//	+-----+   +------+   +--------+           +--------+   +-----------+
//	| Bus |===| Port |---|        |           |        |---| conn.Conn |
//	|     |===| Port |---| Server |           | Client |   +-----------+
//	+-----+   +------+   +--------+           +--------+
//	    a Port for each      | port ID 4711       | port ID 4712, and
//	    client, of its ID    |                    | one for control
//	=========================|====================|============ kernel
//	                         +--------------------+
//
// # Index by job
//
//	serve     NewServer, WithCaps, WithMaxClients, WithMaxBuffer; Server.Serve
//	use       Dial, NewClient, Client.Sibling: a conn.Transport, and for its Dialer;
//	          RepliesLate, Wait, ReadDeadline; ErrEvicted
//	groups    Client.Join, Leave
//	options   Client.SetFlag, Flag, SetReceiveBuffer, ReceiveBuffer
//	inspect   Server.Stats, Client.Stats
//
// # Who can send to whom
//
// Any process of the network namespace can open a socket of NETLINK_USERSOCK and
// send to any other one, by its port ID, without a privilege. It can also choose
// any port ID that is free; those that are taken are listed for everybody in
// /proc/net/netlink. The kernel stamps each datagram with the port ID of
// the socket that sent it, which nobody can forge: the messages' own port IDs and
// sequence numbers prove nothing, the stamp does.
//
// A port ID names a socket, not a person or a program. So:
//
//   - Whoever binds the server's port ID while the server is not there is the
//     server, for its clients. A Client believes in a number. Where that is not
//     enough, do not use this package, or keep others out of the namespace.
//   - A client may be anybody in the namespace. Therefore clients have no
//     capability on the bus; WithCaps gives it to all of them, since there is no
//     telling them apart. Serve nothing this way that not everybody in the
//     namespace may see, change or use up.
//   - Any process can fill the server's receive buffer, and take all of its places:
//     those of clients that do not read go to new clients, but clients can read.
//
// # What is checked
//
// The server takes a datagram for that of the client whose port ID is stamped on
// it; what is stamped 0 would be the kernel's and is dropped. A control message is
// obeyed if it comes from the client that it is about, or from the second socket
// that this client has named for it; another one's is refused with EPERM. What
// other ports of the bus send to a client (bus.Port.SendTo) is marked with their
// ID; to a client that has not said hello, and so would take it for the bus's, it
// is not sent.
//
// The client takes what is stamped with the server's port ID for the bus's:
// Info.PortID 0. All else comes with its real sender, which package conn does not
// believe. What is stamped 0 is dropped, as it would pass for the bus's.
//
// # What is different from the kernel
//
// A request is not answered within Send, but later. Requests are handled by the
// goroutine of [Server.Serve], one after the other: a slow handler holds up all
// clients, even if its family is Parallel.
//
// NETLINK_USERSOCK has 32 groups, a bus has more, and joining one takes
// CAP_NET_ADMIN. So the groups of the bus are not groups of the kernel: the server
// keeps who is a member, and sends to each.
//
// Each client has a bounded queue at the server, which is used when the receive buffer
// of its socket is full. When both are full, datagrams are lost, and Receive fails with
// ENOBUFS. As from the kernel, datagrams queued before the loss may follow it.
//
// The kernel reports no event when a full socket has room again. The server repeats the
// attempt after growing pauses, up to ten seconds, and whenever the client sends
// anything; a Client sends a message when it has emptied a socket that may have been
// full. A full client therefore costs next to no CPU time, all others none.
//
// When all places are taken, a new client gets that of the client whose socket has been
// full longest, if that is a second at least. The evicted Client receives what its
// socket holds, then [ErrEvicted], which matches ECONNREFUSED, and may dial again. Its
// later requests are not handled. An evicted socket without control messages gets
// ECONNREFUSED for its next request, and is a new client with the one after it.
//
// A server that ends says so to its clients: receiving fails with ECONNREFUSED
// from then on. One that is killed cannot; sending to it fails with ECONNREFUSED,
// but who waits for a notification waits on. When another server has come to its
// port ID, it does not know the groups and options of its predecessor's clients:
// dial again.
//
// # Control messages
//
// What are system calls on a socket are messages here, of the type 15, below
// nlmsg.MinType, with attributes of 32 bits each and an Error message for an
// answer. A client that only wants to send requests and get their answers need not
// know of them: its first datagram makes it one.
package usersock
