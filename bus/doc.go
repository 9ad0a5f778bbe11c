// Package bus is a Generic Netlink in userspace: the kernel's side of it, on any system,
// without root and without a kernel. Families register as kernel modules do, clients send
// requests as to the kernel, and the bytes are the same.
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
//	handlers    DoFunc, PostDoFunc, DumpFunc, DoneFunc
//	requests    Info: Attrs, Require, ParseNested, HasCaps; SetMsg, SetAttr, SetMissing
//	replies     Info.Begin; Info.Reply, Notify, Multicast
//	dumps       Dump.Begin, End; ErrMore
//	events      Family.Begin, Multicast, HasListeners; AllNetNS; Bus.Unicast
//	ports       Bus.Open, Port, WithPortID, WithNetNS, WithCaps, WithFlags;
//	            Port.Wait, ReadDeadline, SetReceiveBuffer, SetSendBuffer
//	faults      Script, Random, WithFaults, WithPortFaults, WithBefore, WithDelay,
//	            WithPanics
//
// # How exact it is
//
// IDs, groups, errnos and their order, texts, offsets, extended ACK, the sizes of the
// datagrams of a dump and the place of its Done are those of the kernel that
// [WithProfile] selects; comments cite the kernel's functions. Not included: loading of
// modules, and the life of network namespaces. The size of a datagram in a receive buffer
// is a model (see [Port.SetReceiveBuffer]).
//
// # Ownership
//
// A request is valid until its handler returns. Buffers from Info.Begin and Dump.Begin
// belong to the bus, those from Family.Begin to the caller. Datagrams are copied into
// queues and out of them.
package bus
