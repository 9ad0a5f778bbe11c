package bus

import "strings"

// Features is a set of behaviors in which kernels differ. [WithFeatures] selects those of a
// bus, the presets ([Linux510] to [Linux72]) contain those of a release, and [Probe] finds
// those of a running kernel. Because distributions backport single changes, a preset is only
// a starting point: the operator | adds features to it, and &^ removes them.
type Features uint32

// The features, with the first release that has them. Each comment describes kernels with
// the feature, and after "instead" kernels without it.
const (
	// FeatureResvStartOp gives Family.ResvStartOp its meaning (Linux 6.1): reserved bits of
	// the headers are refused, an Op without any policy rejects all attributes, and Register
	// refuses Validate flags (genl_header_check, genl_op_fill_in_reject_policy).
	FeatureResvStartOp Features = 1 << iota
	// FeatureMissing reports missing attributes: [Info.SetMissing] has an effect (Linux 6.1,
	// NLMSGERR_ATTR_MISS_TYPE). The same change put the cookie before the offset, instead of
	// after it (netlink_ack_tlv_fill).
	FeatureMissing
	// FeatureSplitOps treats the do and the dump of a command separately (Linux 6.2). A
	// request for the missing half of a command fails with EOPNOTSUPP, instead of EPERM for
	// requesters without the capabilities that the other half requires. The controller
	// exports policies only if they validate something, and validates requests for the list
	// of families.
	FeatureSplitOps
	// FeatureSmallHeads allocates the same number of bytes for all small datagrams (Linux
	// 6.3, skbuff_small_head), instead of the next power of two. See [FeatureWideHeads].
	FeatureSmallHeads
	// FeatureDoneExtAck puts the whole extended ACK into the Done of a dump (Linux 6.8),
	// instead of only its text (netlink_dump_done).
	FeatureDoneExtAck
	// FeatureStartExtAck reports what the Start of a dump puts into Info.ExtAck (Linux 6.8,
	// netlink_dump_control.extack).
	FeatureStartExtAck
	// FeatureUintPolicy exports an integer in milliseconds (policy.KindMsecs) as a uint
	// (Linux 6.7), instead of as a u64 (__netlink_policy_dump_write_attr).
	FeatureUintPolicy
	// FeatureFamiliesDone sends the Done of the list of families in the datagram of the last
	// families (Linux 6.9), instead of a separate one (ctrl_dumpfamily).
	FeatureFamiliesDone
	// FeatureFuncPolicy exports no limits for an integer with a check function (Linux 6.16),
	// instead of the limits of its type.
	FeatureFuncPolicy
	// FeatureRejectSplit rejects all attributes of a [SplitOp] without a policy (Linux 7.1),
	// instead of accepting any. It also numbers policies without types in the controller's
	// export (genl_get_cmd_split, add_policy).
	FeatureRejectSplit
	// FeatureDumpOpCmd exports the policy of an operation without a do under its command
	// (ctrl_dumppolicy_put_op), instead of under 0. Linux 6.2 removed it; 6.12.117 and 7.2
	// restored it.
	FeatureDumpOpCmd
	// FeatureWideHeads depends on the kernel's configuration, so no preset contains it. With
	// support for wireless networks and tunnels, which distributions enable, the allocation
	// for small datagrams has 704 bytes instead of 576, to leave room for longer headers
	// (MAX_TCP_HEADER). A small datagram then uses 960 bytes of a receive buffer instead of
	// 832.
	FeatureWideHeads

	featureEnd
)

// The presets are the features of releases.
const (
	Linux510 = FeatureDumpOpCmd
	Linux61  = Linux510 | FeatureResvStartOp | FeatureMissing
	Linux612 = Linux61 | FeatureSplitOps | FeatureSmallHeads | FeatureDoneExtAck | FeatureStartExtAck |
		FeatureUintPolicy | FeatureFamiliesDone // from 6.12.117 on
	Linux618 = Linux612&^FeatureDumpOpCmd | FeatureFuncPolicy
	Linux71  = Linux618 | FeatureRejectSplit
	Linux72  = Linux71 | FeatureDumpOpCmd
)

// presets lists the presets with their names, the newest first.
var presets = []struct {
	features Features
	name     string
}{
	{Linux72, "7.2"}, {Linux71, "7.1"}, {Linux618, "6.18"}, {Linux612, "6.12"}, {Linux61, "6.1"}, {Linux510, "5.10"},
}

var featureNames = [...]string{
	"resv-start-op", "missing", "split-ops", "small-heads", "done-ext-ack", "start-ext-ack", "uint-policy",
	"families-done", "func-policy", "reject-split", "dump-op-cmd", "wide-heads",
}

// Has reports whether the set contains all features of f.
func (s Features) Has(f Features) bool { return s&f == f }

// String returns the names of the features, separated by commas.
func (s Features) String() string {
	var names []string
	for i, name := range featureNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Preset returns the features of a release, such as "6.12", and whether there is a preset
// for it. The releases are 5.10, 6.1, 6.12, 6.18, 7.1 and 7.2.
func Preset(release string) (Features, bool) {
	for _, p := range presets {
		if p.name == release {
			return p.features, true
		}
	}
	return 0, false
}

// WithFeatures selects the features of the kernel that the bus reproduces. The default is
// [Linux618].
func WithFeatures(f Features) Option { return func(b *Bus) { b.features = f } }

// Features returns the features of the bus, for families that have different policies on
// different kernels.
func (b *Bus) Features() Features { return b.features }
