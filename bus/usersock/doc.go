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
// # Who can send
//
// Any process of the network namespace can open a socket of NETLINK_USERSOCK and send to
// any other one by its port ID, without a privilege. It can also choose any free port ID;
// those in use are listed in /proc/net/netlink for every process. The kernel adds the
// port ID of the sending socket to each datagram, which cannot be forged. The port IDs
// and sequence numbers in messages can: they prove nothing.
//
// A port ID names a socket, not a person or a program. So:
//
//   - A process that binds the server's port ID while the server is not running is the
//     server for its clients. Where that is a risk, do not use this package, or keep
//     other processes out of the namespace.
//   - A client may be any process of the namespace. Therefore clients have no capability
//     on the bus; WithCaps gives capabilities to all of them, since they cannot be
//     distinguished. Serve nothing this way that not every process of the namespace may read,
//     change or use up.
//   - Any process can fill the server's receive buffer, and take all places for clients:
//     those of clients that do not read go to new clients, but clients can read.
//
// # What is checked
//
// The server assigns a datagram to the client with the port ID that the kernel added;
// one with the port ID 0 would be from the kernel and is dropped. A control message is
// accepted from the client that it is about, and from the second socket that this client
// has named for it; from any other sender it is refused with EPERM. Datagrams from other
// ports of the bus to a client (bus.Port.SendTo) carry their port ID; they are not sent to
// a client that has not said hello and would take them for datagrams of the bus.
//
// The client takes datagrams with the server's port ID for those of the bus: Info.PortID
// is 0. All others keep their sender, and package conn ignores them. Those with the port
// ID 0 are dropped, as they would pass for datagrams of the bus.
//
// # What is different from the kernel
//
// A request is not answered within Send, but later. Requests are handled by the
// goroutine of [Server.Serve], one after the other: a slow handler holds up all
// clients, even if its family is Parallel.
//
// NETLINK_USERSOCK has 32 groups, a bus has more, and joining one takes
// CAP_NET_ADMIN. So the groups of the bus are not groups of the kernel: the server
// keeps the members, and sends to each.
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
// A server that ends notifies its clients: receiving fails with ECONNREFUSED from then
// on. A server that is killed cannot; sending to it fails with ECONNREFUSED, but a client
// that waits for a notification continues to wait. Another server with the same port ID
// does not know the groups and options of the clients: dial again.
//
// # Control messages
//
// What are system calls on a socket are messages here, of the type 15, below
// nlmsg.MinType, with attributes of 32 bits each and an Error message for an
// answer. A client that only wants to send requests and get their answers need not
// know of them: its first datagram makes it one.
package usersock
