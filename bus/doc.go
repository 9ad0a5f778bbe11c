// Package bus implements the kernel's side of Generic Netlink in userspace. It runs on any
// system, without root and without a kernel. Families register as kernel modules do,
// clients send the same requests as to the kernel, and the bytes on the wire are equal.
//
//	 clients        conn, ctrl, nlctl, other libraries
//	                    |            |            |
//	                +------+     +------+     +------+
//	 ports          | Port |     | Port |     | Port |    one queue each, in memory
//	                +------+     +------+     +------+
//	                    |            |            |
//	=================== Bus: registry, dispatch, dumps, groups =================
//	                    |            |            |
//	               +---------+  +---------+  +----------+
//	 families      | nlctrl  |  | yours   |  | yours    |   operations, policies,
//	               +---------+  +---------+  +----------+   groups
//
// A port sends a request as a datagram. The bus handles it inside Send:
//
//	 0                16         20                20+hdrsize
//	+----------------+----------+-----------------+--------------+
//	| nlmsghdr       | genlmsg- | the family's    | attributes   |
//	| type: family   | hdr: cmd | own header      |              |
//	+----------------+----------+-----------------+--------------+
//	    |                |                             |
//	    registry         operation, flags, caps        policy -> Info.Attrs
//
// # Index by task
//
//	make        New, WithFeatures, Bus.Close, Bus.Stats
//	kernels     Features, Linux510 to Linux72, Preset, Probe
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
// # Accuracy
//
// IDs, groups, errnos, the order of checks, error texts, offsets, extended ACKs, the
// datagram sizes of a dump and the position of its Done are equal to those of the kernel
// that [WithFeatures] selects; comments cite the kernel's functions. Module loading and the
// creation of network namespaces are not included. The share of a receive buffer that a
// datagram uses is computed by a model (see [Port.SetReceiveBuffer]).
//
// # Ownership
//
// A request is valid until its handler returns. Buffers from Info.Begin and Dump.Begin
// belong to the bus; buffers from Family.Begin belong to the caller. Datagrams are copied
// into queues and out of them.
package bus
