package bus

import (
	"sync/atomic"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Validate relaxes the validation of an older operation (enum genl_validate_flags). For a
// command of Family.ResvStartOp or above, Register rejects these flags.
type Validate uint8

const (
	// DontValidateStrict validates the attributes of a do liberally
	// (GENL_DONT_VALIDATE_STRICT).
	DontValidateStrict Validate = 1 << iota
	// DontValidateDump ignores the attributes of a dump (GENL_DONT_VALIDATE_DUMP). It has
	// no effect in a SplitOp.
	DontValidateDump
	// DontValidateDumpStrict validates the attributes of a dump liberally
	// (GENL_DONT_VALIDATE_DUMP_STRICT).
	DontValidateDumpStrict
)

// The handlers of an operation. The error that a handler returns is sent to the requester:
// an errno.Errno, a syscall.Errno (on Linux the numbers are equal), a *policy.Error, or an
// error that wraps one of them. Any other error is sent as EIO, with its text in the
// extended ACK.
//
// A handler runs in the goroutine that calls Send. A handler for the later datagrams of a
// dump runs in the goroutine that calls Receive. A handler may send with the methods of its
// Info, with [Family.Multicast] and with [Bus.Unicast], and may call [Family.HasListeners].
// Other methods of the bus and its ports (Send, Open, Join, Leave, Close, Register,
// Unregister) deadlock, as in the kernel.
type (
	// DoFunc handles a request (doit), or runs before its handler (pre_doit).
	DoFunc func(*Info) error
	// PostDoFunc runs after a DoFunc, even if the DoFunc failed or panicked (post_doit).
	PostDoFunc func(*Info)
	// DumpFunc is one step of a dump (start, dumpit). See [Dump].
	DumpFunc func(*Dump) error
	// DoneFunc runs once at the end of a dump, unless the start of the dump failed (done).
	DoneFunc func(*Dump)
)

// Op is an operation (struct genl_ops; with Policy, Start and Done nil, struct
// genl_small_ops). Do, Dump or both are set.
type Op struct {
	Cmd      uint8
	Flags    genlmsg.OpFlags // genlmsg.OpAdmin, genlmsg.OpUnsAdmin; the bus adds the others
	Validate Validate
	// Policy validates the attributes of Do and Dump. If it is nil, Family.Policy is used.
	// If that is nil too, commands of Family.ResvStartOp or above reject every attribute,
	// and the attributes of lower commands are not validated: Info.Attrs has no slots then,
	// except without [FeatureRejectSplit] and with a Family.MaxAttr.
	Policy *policy.Policy
	Do     DoFunc
	Start  DumpFunc // optional
	Dump   DumpFunc
	Done   DoneFunc // optional
}

// SplitOp is one half of an operation (struct genl_split_ops): Flags contains either
// genlmsg.OpDo or genlmsg.OpDump. Family.SplitOps is sorted by command, the do before the
// dump.
type SplitOp struct {
	Cmd      uint8
	Flags    genlmsg.OpFlags
	Validate Validate
	Policy   *policy.Policy // nil: see [FeatureRejectSplit]

	PreDo  DoFunc // optional; an error ends the request
	Do     DoFunc
	PostDo PostDoFunc // optional

	Start DumpFunc // optional
	Dump  DumpFunc
	Done  DoneFunc // optional
}

// GroupFlags are the capabilities that are required to join a group.
type GroupFlags uint8

const (
	// GroupNetAdmin requires CapNetAdminNS (GENL_MCAST_CAP_NET_ADMIN).
	GroupNetAdmin GroupFlags = 1 << iota
	// GroupSysAdmin requires CapSysAdminNS (GENL_MCAST_CAP_SYS_ADMIN).
	GroupSysAdmin
)

// Group is a multicast group of a family. Its number is [Family.GroupID].
type Group struct {
	Name  string // at most 15 bytes
	Flags GroupFlags
}

// Family is a Generic Netlink family (struct genl_family). It must not be changed while it
// is registered, and it can be registered on only one bus at a time.
type Family struct {
	Name    string // at most 15 bytes
	Version uint8
	HdrSize int // size in bytes of the family's header after struct genlmsghdr, at most 4096
	// MaxAttr is the highest attribute type that the controller exports. With a Policy, it
	// is 0 or the highest type of the Policy.
	MaxAttr int
	Policy  *policy.Policy // for Ops without a Policy
	NetNSOK bool           // the family also exists in network namespaces other than 0
	// Parallel allows the family's handlers to run concurrently (parallel_ops). The
	// handlers of all other families run one at a time.
	Parallel bool
	// ResvStartOp is the first command with the checks for new families: the reserved bits
	// of the headers must be 0, and all attributes are validated strictly. 0 means all
	// commands.
	ResvStartOp uint8

	Ops      []Op
	SplitOps []SplitOp
	PreDo    DoFunc     // optional, before each Do of Ops; an error ends the request
	PostDo   PostDoFunc // optional, after each Do of Ops
	Groups   []Group

	// Bind and Unbind are optional. They are called with the index of the group when a port
	// joins or leaves it. The restrictions of handlers apply.
	Bind, Unbind func(group int)

	on atomic.Pointer[registration]
}

// registration is the state of a family while it is registered.
type registration struct {
	bus        *Bus
	id         uint16
	firstGroup int
	ops        *opTable
}

// ID returns the type of the family's messages, or 0 if the family is not registered.
func (f *Family) ID() nlmsg.Type {
	if r := f.on.Load(); r != nil {
		return nlmsg.Type(r.id)
	}
	return 0
}

// GroupID returns the number of a group for Port.Join. The argument is an index of
// f.Groups. The number is 0 if there is no such group or the family is not registered.
func (f *Family) GroupID(group int) uint32 {
	if r := f.on.Load(); r != nil && group >= 0 && group < len(f.Groups) {
		return r.group(group)
	}
	return 0
}

// Begin appends the headers of a message of the family, as nlmsg.Begin does: the netlink
// header, the Generic Netlink header, and zeros for the family's own header (genlmsg_put).
// nlmsg.End completes the message. An event has the sequence number 0 and the port ID 0. If
// the family is not registered, the message type is 0.
func (f *Family) Begin(b []byte, flags nlmsg.Flags, seq, portID uint32, cmd uint8) []byte {
	return f.on.Load().begin(b, f, flags, seq, portID, cmd)
}

// begin is Family.Begin with the ID of the registration r, or 0 if r is nil.
func (r *registration) begin(b []byte, f *Family, flags nlmsg.Flags, seq, portID uint32, cmd uint8) []byte {
	id := nlmsg.Type(0)
	if r != nil {
		id = nlmsg.Type(r.id)
	}
	b = nlmsg.Begin(b, id, flags, seq, portID)
	b = genlmsg.Append(b, cmd, f.Version)
	return append(b, make([]byte, nlmsg.Align(f.HdrSize))...)
}

// group returns the number of the group with index i.
func (r *registration) group(i int) uint32 { return uint32(r.firstGroup + i) }

// maxAttr returns the MaxAttr that the controller exports.
func (f *Family) maxAttr() int {
	if f.MaxAttr == 0 && f.Policy != nil {
		return f.Policy.MaxType()
	}
	return f.MaxAttr
}

// maxHdrSize is the largest Family.HdrSize.
const maxHdrSize = 1 << 12

// hasMaxAttr reports whether MaxAttr is in range, and equal to the policy's if there is
// one.
func (f *Family) hasMaxAttr() bool {
	if f.Policy != nil && f.MaxAttr != 0 {
		return f.MaxAttr == f.Policy.MaxType()
	}
	return f.MaxAttr >= 0 && f.MaxAttr <= nla.TypeMask
}

// existsIn reports whether the family exists in a network namespace.
func (f *Family) existsIn(netNS int) bool { return f.NetNSOK || netNS == 0 }
