package bus

import (
	"sync/atomic"

	"github.com/nlwire/nlwire/nla/policy"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
)

// Validate says how loosely an older operation validates its attributes (enum
// genl_validate_flags). Operations from Family.ResvStartOp on must have none.
type Validate uint8

const (
	// DontValidateStrict has the attributes of a do parsed liberally
	// (GENL_DONT_VALIDATE_STRICT).
	DontValidateStrict Validate = 1 << iota
	// DontValidateDump leaves the attributes of a dump alone
	// (GENL_DONT_VALIDATE_DUMP). In a SplitOp it has no such effect.
	DontValidateDump
	// DontValidateDumpStrict has the attributes of a dump parsed liberally
	// (GENL_DONT_VALIDATE_DUMP_STRICT).
	DontValidateDumpStrict
)

// The handlers of an operation. The error they return goes to the requester: an
// [Errno], a syscall.Errno (which on Linux has the same numbers), a
// *policy.Error, or anything that wraps one of them. An error that is none is
// EIO, with its text as that of the extended ACK.
//
// A handler runs inside the Send of the requester, or, when a dump goes on, in
// its Receive. It may reply, notify and multicast, and ask for listeners. Of its
// own bus it must use nothing else: to send a request, to open, join, leave or
// close, to register or unregister deadlocks, as the kernel would there.
type (
	// DoFunc handles a request (doit), or prepares that (pre_doit).
	DoFunc func(*Info) error
	// PostDoFunc runs after a DoFunc, even if that failed or panicked (post_doit).
	PostDoFunc func(*Info)
	// DumpFunc is a step of a dump (start, dumpit). See [Dump].
	DumpFunc func(*Dump) error
	// DoneFunc runs once at the end of a dump whose start succeeded (done).
	DoneFunc func(*Dump)
)

// Op is an operation (struct genl_ops; with Policy, Start and Done nil, struct
// genl_small_ops). At least one of Do and Dump is not nil.
type Op struct {
	Cmd      uint8
	Flags    genlmsg.OpFlags // genlmsg.OpAdmin, genlmsg.OpUnsAdmin; the bus adds the others
	Validate Validate
	// Policy is for the attributes of Do and Dump. Nil means Family.Policy. If that is
	// nil too, a command from Family.ResvStartOp on rejects every attribute; the
	// attributes of a command below it are not checked, and Info.Attrs is nil.
	Policy *policy.Policy
	Do     DoFunc
	Start  DumpFunc // optional
	Dump   DumpFunc
	Done   DoneFunc // optional
}

// SplitOp is one half of an operation (struct genl_split_ops): Flags has one of
// genlmsg.OpDo and genlmsg.OpDump. They are sorted by command, do before dump.
type SplitOp struct {
	Cmd      uint8
	Flags    genlmsg.OpFlags
	Validate Validate
	Policy   *policy.Policy // nil: see [Profile]

	PreDo  DoFunc // optional; an error ends the request
	Do     DoFunc
	PostDo PostDoFunc // optional

	Start DumpFunc // optional
	Dump  DumpFunc
	Done  DoneFunc // optional
}

// GroupFlags are what joining a group takes.
type GroupFlags uint8

const (
	// GroupNetAdmin asks for CAP_NET_ADMIN (GENL_MCAST_CAP_NET_ADMIN).
	GroupNetAdmin GroupFlags = 1 << iota
	// GroupSysAdmin asks for CAP_SYS_ADMIN (GENL_MCAST_CAP_SYS_ADMIN).
	GroupSysAdmin
)

// Group is a multicast group of a family.
type Group struct {
	Name  string
	Flags GroupFlags
}

// Family is a Generic Netlink family to be registered (struct genl_family). It
// must not be changed while it is registered, and is on one bus at a time.
type Family struct {
	Name    string
	Version uint8
	HdrSize int // bytes of the family's own header behind struct genlmsghdr
	// MaxAttr is the highest attribute type of operations that have no policy. The
	// controller tells it. With a Policy it is 0, or the same as that of the Policy.
	MaxAttr int
	Policy  *policy.Policy // of operations that have none of their own
	NetNSOK bool           // it exists in other network namespaces than the first
	// Parallel lets handlers run side by side (parallel_ops). Without it all
	// families share one lock.
	Parallel bool
	// ResvStartOp is the first command whose header is checked and which is
	// validated strictly; 0 is all of them.
	ResvStartOp uint8

	Ops      []Op
	SplitOps []SplitOp
	PreDo    DoFunc     // optional, before each Do of Ops; an error ends the request
	PostDo   PostDoFunc // optional, after each Do of Ops
	Groups   []Group

	// Bind and Unbind hear of ports that join and leave a group, by its index. They
	// may do what a handler may.
	Bind, Unbind func(group int)

	on atomic.Pointer[registration]
}

// registration is what a family has while it is on a bus.
type registration struct {
	bus        *Bus
	id         uint16
	firstGroup int
	ops        *opTable
}

// ID returns the type of the family's messages, 0 if it is not registered.
func (f *Family) ID() uint16 {
	if r := f.on.Load(); r != nil {
		return r.id
	}
	return 0
}

// GroupID returns the number of a group of f.Groups, for Port.Join; 0 if the
// family is not registered.
func (f *Family) GroupID(group int) uint32 {
	if r := f.on.Load(); r != nil && group >= 0 && group < len(f.Groups) {
		return r.group(group)
	}
	return 0
}

// group is the number of a group of the family's.
func (r *registration) group(i int) uint32 { return uint32(r.firstGroup + i) }

// maxAttr is what the controller tells of the family.
func (f *Family) maxAttr() int {
	if f.MaxAttr == 0 && f.Policy != nil {
		return f.Policy.MaxType()
	}
	return f.MaxAttr
}

// maxHdrSize bounds what a family may have in front of its attributes.
const maxHdrSize = 1 << 12

// hasMaxAttr reports whether MaxAttr is one that the kernel could have, and that of
// the policy.
func (f *Family) hasMaxAttr() bool {
	if f.Policy != nil && f.MaxAttr != 0 {
		return f.MaxAttr == f.Policy.MaxType()
	}
	return f.MaxAttr >= 0 && f.MaxAttr <= nla.TypeMask
}

// existsIn reports whether the family is in that network namespace.
func (f *Family) existsIn(netNS int) bool { return f.NetNSOK || netNS == 0 }
