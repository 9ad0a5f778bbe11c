package policy

import "strconv"

// Mode is how strictly a policy is applied (enum netlink_validation). Which
// mode an operation has is the kernel's to say: most Generic Netlink families
// of today are Strict, older ones Liberal.
type Mode uint8

// The single bits, NL_VALIDATE_*.
const (
	// Liberal is what nla_parse_deprecated and its relatives apply: it ignores unknown types and what is left over after the last
	// attribute, and takes integers that are too long.
	Liberal Mode = 0
	// ValidateTrailing refuses bytes left over after the last attribute.
	ValidateTrailing Mode = 1
	// ValidateMaxType refuses types above the policy's and type 0.
	ValidateMaxType Mode = 2
	// ValidateUnspec refuses attributes whose rule is KindUnspec
	// (NL_VALIDATE_UNSPEC).
	ValidateUnspec Mode = 4
	// ValidateStrictAttrs refuses integers that are too long.
	ValidateStrictAttrs Mode = 8
	// ValidateNested requires the Nested bit on nests, and only there
	// (NL_VALIDATE_NESTED).
	ValidateNested Mode = 16
)

// The kernel's sets.
const (
	// DeprecatedStrict is what the ..._deprecated_strict functions apply.
	DeprecatedStrict = ValidateTrailing | ValidateMaxType
	// Strict is what nla_parse, nlmsg_parse and nla_validate apply.
	Strict = ValidateTrailing | ValidateMaxType | ValidateUnspec | ValidateStrictAttrs | ValidateNested
)

// String returns the name of a set, or the bits: "strict", "trailing|maxtype".
func (m Mode) String() string {
	switch m {
	case Liberal:
		return "liberal"
	case DeprecatedStrict:
		return "deprecated-strict"
	case Strict:
		return "strict"
	}
	s := ""
	for i, name := range [...]string{"trailing", "maxtype", "unspec", "strict-attrs", "nested"} {
		if m&(1<<i) != 0 {
			s += "|" + name
		}
	}
	if rest := m &^ Strict; rest != 0 {
		s += "|0x" + strconv.FormatUint(uint64(rest), 16)
	}
	return s[1:]
}
