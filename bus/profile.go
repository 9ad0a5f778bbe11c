package bus

import (
	"github.com/nlwire/nlwire/nla/policy"
)

// Profile is the kernel whose behaviour the bus has, where kernels differ.
type Profile uint8

const (
	// Linux618 is Linux 6.18. A SplitOp without a policy accepts anything; the
	// controller tells it as one that rejects all. In the controller's dump of
	// policies an operation without a do has the command 0.
	Linux618 Profile = iota
	// Linux72 is Linux 7.2. A SplitOp without a policy rejects every attribute,
	// and the controller tells every operation by its command.
	Linux72
)

// The policies of operations that reject every attribute (genl_policy_reject_all).
// 7.2 shortened it by an entry, so that the text for an attribute of type 1 is
// another, and the controller tells another highest type.
var (
	rejectAll618 = &policy.Policy{Attrs: []policy.Rule{{Kind: policy.KindReject}, {Kind: policy.KindReject}}}
	rejectAll72  = &policy.Policy{Attrs: []policy.Rule{{Kind: policy.KindReject}}}
)

func (p Profile) rejectAll() *policy.Policy {
	if p == Linux72 {
		return rejectAll72
	}
	return rejectAll618
}

// parses reports whether an operation's attributes are looked at
// (genl_family_rcv_msg_attrs_parse).
func (p Profile) parses(op *operation) bool {
	if p == Linux72 {
		return op.policy != nil
	}
	return op.maxAttr != 0
}
