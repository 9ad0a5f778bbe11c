// Package netlink is the interface of github.com/mdlayher/netlink v1.11 on nlwire: what
// was written for that library runs on nlwire's codec and sockets, without a change in its
// source. A program selects it in its go.mod:
//
//	replace github.com/mdlayher/netlink => github.com/nlwire/nlwire/compat/mdlayher VERSION
//
// docs/migrating.md of the project has the differences. In short:
//
//	your program, genetlink, rtnetlink, nftables, ...
//	------------------------------------------------------------------
//	Conn              sequence numbers, multipart replies, errors
//	conn, backlog     which datagram answers which request
//	AttributeDecoder, AttributeEncoder, Message
//	------------------------------------------------------------------
//	nlwire/nla, nlwire/nlmsg, nlwire/socket
//
// # Index by task
//
//	connect   Dial, Config; NewConn, Socket; Conn.Close, PID
//	request   Conn.Execute; Send, SendMessages; Receive, ReceiveIter; Validate
//	listen    Config.Groups, Conn.JoinGroup, LeaveGroup
//	options   Conn.SetOption, SetBPF, RemoveBPF, SetDeadline, SetReadDeadline,
//	          SetWriteDeadline, SetReadBuffer, SetWriteBuffer, ReadBuffer,
//	          WriteBuffer, SyscallConn
//	messages  Message, Header, HeaderType, HeaderFlags
//	attributes  AttributeDecoder, AttributeEncoder; Attribute, MarshalAttributes,
//	          UnmarshalAttributes
//	errors    OpError, IsNotExist
//
// Package nltest makes a Conn without a kernel, package nlenc has encoders of single
// values.
//
// # Improvements
//
// Where a program could not rely on the original, this package does better:
//
//   - a reply that comes after a deadline does not answer the next request;
//   - the ACK that follows the reply to a GET does not answer the next request;
//   - a part of a multipart reply whose end never comes is returned, not waited for;
//   - a notification that is queued before a reply waits for Receive;
//   - a Send is not held up by an Execute that waits for a Receive;
//   - errors are read with CapAcknowledge and ExtendedAcknowledge both set;
//   - a datagram of another process does not pass for one of the kernel;
//   - what does not fit into 16 bits of length is an error;
//   - nests take linear time.
//
// # Debugging
//
// With the environment variable NLDEBUG a Conn writes its messages to standard error.
// NLDEBUG=level=1,format=mnl has all settings: the level, of which there is one, and the
// format, libmnl's; another format writes them as Go values.
package netlink
