// Package netlink implements the interface of github.com/mdlayher/netlink v1.11 with nlwire. Programs
// and libraries for that package run on nlwire's codec and sockets without changes in their source. A
// program selects this implementation in its go.mod:
//
//	replace github.com/mdlayher/netlink => github.com/nlwire/nlwire/compat/mdlayher VERSION
//
// docs/migrating.md of the project lists the differences. The layers are:
//
//	your program, genetlink, rtnetlink, nftables, ...
//	------------------------------------------------------------------
//	Conn              sequence numbers, multipart replies, errors
//	conn, backlog     the datagrams of each answer
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
// Package nltest provides a Conn without a kernel. Package nlenc encodes and decodes single values.
//
// # Improvements
//
// This package avoids some faults of the original:
//
//   - A late reply, after a deadline, is not returned as the answer to the next request.
//   - An ACK after the reply to a GET is not returned as the answer to the next request.
//   - If the end of a multipart reply is missing, the received part is returned.
//   - A notification before a reply is kept for Receive.
//   - An Execute that waits for a Receive does not block Send.
//   - Errors are decoded with CapAcknowledge and ExtendedAcknowledge both set.
//   - A datagram of another process is not accepted as one of the kernel.
//   - A payload that is too long for the 16-bit length field is an error.
//   - Encoding nests takes linear time.
//
// # Debugging
//
// If the environment variable NLDEBUG is set, a Conn writes its messages to standard error. The
// default is NLDEBUG=level=1,format=mnl: the format of libmnl. Any other format prints the messages as
// Go values. Level 0 prints nothing.
package netlink
