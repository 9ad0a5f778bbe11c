// Package bus is a Generic Netlink in userspace: the kernel's side of it, on any
// system, without root and without a kernel. Families register with it as a kernel
// module does, clients talk to it as to the kernel, and the bytes are the same.
//
//	 clients        conn, ctrl, nlctl, other libraries
//	                    |            |            |
//	                +------+     +------+     +------+
//	 ports          | Port |     | Port |     | Port |    a queue each, in memory
//	                +------+     +------+     +------+
//	                    |            |            |
//	=================== Bus: registry, dispatch, dumps, groups =================
//	                    |            |            |
//	               +---------+  +---------+  +----------+
//	 families      | nlctrl  |  | yours   |  | yours    |   operations, policies,
//	               +---------+  +---------+  +----------+   groups
//
// A request is a datagram that a port sends. It is handled inside Send:
//
//	 0                16         20                20+hdrsize
//	+----------------+----------+-----------------+--------------+
//	| nlmsghdr       | genlmsg- | the family's    | attributes   |
//	| type: family   | hdr: cmd | own header      |              |
//	+----------------+----------+-----------------+--------------+
//	    |                |                             |
//	    registry         operation, flags, caps        policy -> Info.Attrs
//
// # Index by job
//
//	make        New, WithProfile, Bus.Close, Bus.Stats
//	families    Family, Op, SplitOp, Group; Bus.Register, Unregister
//	handlers    Info, ExtAck, Info.Begin, Reply, Notify, Multicast, Require,
//	            ParseNested; Dump, Dump.Begin, End, ErrMore; Errno
//	ports       Bus.Open, Port, WithPortID, WithNetNS, WithCaps, WithFlags;
//	            Port.Wait, ReadDeadline, SetReceiveBuffer, SetSendBuffer
//	events      Family.Multicast, MulticastNetNS, MulticastAll, Bus.Unicast
//	faults      Script, Random, WithFaults, WithPortFaults, WithBefore, WithDelay,
//	            WithPanics
//
// # How exact it is
//
// Ids, groups, errnos and their order, texts, offsets, extended ACK, the sizes of a
// dump's datagrams and where its Done goes are those of the kernel that
// [WithProfile] names; the rules are cited beside the code. What a kernel does
// besides is left out: loading modules, namespaces' own lives, and what a datagram
// takes of a receive buffer is a model (see Port.SetReceiveBuffer).
//
// # Ownership
//
// What a handler sees of a request is good until it returns; what it builds with
// Begin is the bus's. Datagrams are copied into queues and out of them.
package bus
