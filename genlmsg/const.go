package genlmsg

// Names and IDs of families (GENL_*).
const (
	// NameSize is the size of the name of a family or group, including its NUL (GENL_NAMSIZ): a
	// name has at most 15 bytes.
	NameSize = 16

	MinID = 0x10 // the lowest ID (GENL_MIN_ID)
	MaxID = 1023 // the highest ID (GENL_MAX_ID)

	IDCtrl     = 0x10 // the controller (GENL_ID_CTRL)
	IDVFSQuota = 0x11 // VFS_DQUOT (GENL_ID_VFS_DQUOT)
	IDPMCRAID  = 0x12 // pmcraid (GENL_ID_PMCRAID)

	// CtrlName and CtrlVersion are the name and the version of the controller. CtrlGroup is its
	// multicast group, with the ID IDCtrl.
	CtrlName    = "nlctrl"
	CtrlVersion = 2
	CtrlGroup   = "notify"
)

// OpFlags are the flags of an operation, the value of CtrlAttrOpFlags.
type OpFlags uint32

// The flags of an operation (GENL_*).
const (
	OpAdmin    OpFlags = 0x01 // needs CAP_NET_ADMIN in the initial user namespace (GENL_ADMIN_PERM)
	OpDo       OpFlags = 0x02 // accepts a request that is not a dump (GENL_CMD_CAP_DO)
	OpDump     OpFlags = 0x04 // accepts a dump (GENL_CMD_CAP_DUMP)
	OpPolicy   OpFlags = 0x08 // has a policy (GENL_CMD_CAP_HASPOL)
	OpUnsAdmin OpFlags = 0x10 // needs CAP_NET_ADMIN in the user namespace of the network namespace (GENL_UNS_ADMIN_PERM)
)

// The controller's commands (CTRL_CMD_*).
const (
	CtrlCmdNewFamily         = 1
	CtrlCmdDelFamily         = 2
	CtrlCmdGetFamily         = 3
	CtrlCmdNewOps            = 4
	CtrlCmdDelOps            = 5
	CtrlCmdGetOps            = 6
	CtrlCmdNewMulticastGroup = 7
	CtrlCmdDelMulticastGroup = 8
	CtrlCmdGetMulticastGroup = 9 // never sent or handled
	CtrlCmdGetPolicy         = 10
)

// The controller's attributes (CTRL_ATTR_*).
const (
	CtrlAttrFamilyID        = 1  // u16
	CtrlAttrFamilyName      = 2  // string with NUL
	CtrlAttrVersion         = 3  // u32
	CtrlAttrHdrSize         = 4  // u32
	CtrlAttrMaxAttr         = 5  // u32
	CtrlAttrOps             = 6  // array of nests of CtrlAttrOp...
	CtrlAttrMulticastGroups = 7  // array of nests of CtrlAttrMulticastGroup...
	CtrlAttrPolicy          = 8  // nest by policy index
	CtrlAttrOpPolicy        = 9  // nest by command of CtrlAttrPolicy...
	CtrlAttrOp              = 10 // u32
)

// The attributes of an operation (CTRL_ATTR_OP_*).
const (
	CtrlAttrOpID    = 1 // u32
	CtrlAttrOpFlags = 2 // u32, OpFlags
)

// The attributes of a multicast group (CTRL_ATTR_MCAST_GRP_*).
const (
	CtrlAttrMulticastGroupName = 1 // string with NUL
	CtrlAttrMulticastGroupID   = 2 // u32
)

// The attributes of an operation's policies (CTRL_ATTR_POLICY_*).
const (
	CtrlAttrPolicyDo   = 1 // u32, policy index
	CtrlAttrPolicyDump = 2 // u32, policy index
)
