// Package usersock connects a bus in one process with clients in other processes, over
// NETLINK_USERSOCK. A [Server] runs in the process of the bus, and a [Client] replaces a
// socket in the other process. The package needs Linux; on other systems it builds, and
// opening a socket fails.
//
//	      the server's process                    a client's process
//	+-----+   +------+   +--------+           +--------+   +-----------+
//	| Bus |===| Port |---|        |           |        |---| conn.Conn |
//	|     |===| Port |---| Server |           | Client |   +-----------+
//	+-----+   +------+   +--------+           +--------+
//	    one Port per client, | port ID 4711       | port ID 4712, and
//	    with the client's ID |                    | one for control
//	=========================|====================|============ kernel
//	                         +--------------------+
//
// # Index by task
//
//	serve     NewServer, WithCaps, WithMaxClients, WithMaxBuffer; Server.Serve
//	use       Dial, NewClient: a conn.Transport; Client.Sibling: for conn.WithDialer;
//	          RepliesLate, Wait, ReadDeadline; ErrEvicted
//	groups    Client.Join, Leave
//	options   Client.SetFlag, Flag, SetReceiveBuffer, ReceiveBuffer
//	inspect   Server.Stats, Client.Stats
//
// # Security
//
// Any process of the network namespace can open a NETLINK_USERSOCK socket and send to any
// other one by its port ID, without a privilege. It can also choose any free port ID;
// /proc/net/netlink lists the port IDs in use to every process. The kernel adds the port
// ID of the sending socket to each datagram; a process cannot forge it. A process can
// forge the port IDs and sequence numbers in messages, so they prove nothing.
//
// A port ID identifies a socket, not a user or a program. Therefore:
//
//   - If the server is not running, a process that binds the server's port ID becomes the
//     server for its clients. Where that is a risk, do not use this package, or keep
//     other processes out of the namespace.
//   - A client may be any process of the namespace. Therefore clients have no
//     capabilities on the bus. WithCaps gives capabilities to all clients, because the
//     server cannot distinguish them. Serve only what every process of the namespace may
//     read, change and exhaust.
//   - Any process can fill the server's receive buffer and occupy all client places. The
//     places of clients that do not read are given to new clients, but a hostile client
//     can read.
//
// # Checks
//
// The server assigns a datagram to the client with the sender's port ID, which the kernel
// adds. A datagram with the port ID 0 would come from the kernel and is dropped. The server
// accepts a control message about a client only from that client and from the second
// socket that the client has registered; other senders get EPERM. A datagram from another
// port of the bus (bus.Port.SendTo) reaches the client with that port's ID. A client
// without a hello could not distinguish it from a datagram of the bus, so the server does
// not send it.
//
// The client treats datagrams with the server's port ID as datagrams of the bus:
// Info.PortID is 0. All other datagrams keep their sender's port ID, and package conn
// ignores them. The client drops datagrams with the port ID 0, because they would look like
// datagrams of the bus.
//
// # Differences from the kernel
//
// A request is not answered within Send, but later. The goroutine of [Server.Serve]
// handles requests one after the other: a slow handler delays all clients, even if its
// family is Parallel.
//
// NETLINK_USERSOCK has 32 groups, a bus has more, and joining a group of the kernel
// requires CAP_NET_ADMIN. Therefore groups of the bus are not groups of the kernel: the
// server stores the members and sends to each of them.
//
// The server has a bounded queue for each client, which is used while the receive buffer
// of the client's socket is full. When both are full, datagrams are dropped, and Receive
// fails with ENOBUFS. As with the kernel, datagrams that were queued before the loss may
// be received after it.
//
// The kernel sends no event when a full socket has room again. The server repeats the
// attempt after growing pauses, up to ten seconds, and whenever the client sends a
// datagram. A Client sends a message after it has emptied a socket that may have been full.
// Therefore a full client costs almost no CPU time, and other clients cost none.
//
// When all places are occupied, the server evicts the client whose socket has been full
// longest, if that is at least a second, and gives its place to the new client. The evicted
// Client receives the datagrams in its socket, then [ErrEvicted], which matches
// ECONNREFUSED, and may dial again. Its later requests are not handled. An evicted socket
// without control messages gets ECONNREFUSED for its next request; with the request after
// that it becomes a new client.
//
// A server that ends notifies its clients: from then on, receiving fails with
// ECONNREFUSED. A killed server cannot notify them: sending to it fails with ECONNREFUSED,
// but a client that waits for a notification continues to wait. Another server with the
// same port ID does not have the groups and options of the clients, so they must dial
// again.
//
// # Control messages
//
// Operations that are system calls on a netlink socket are messages here. A control
// message has the type 15, below nlmsg.MinType, and attributes of 32 bits. The reply is an
// Error message. A client that only sends requests and receives replies needs no control
// messages: its first datagram registers it.
package usersock
