package nla

import "strconv"

// Mode is how strictly a policy is applied (enum netlink_validation). Which
// mode an operation has is the kernel's to say: most Generic Netlink families
// of today are Strict, older ones Liberal.
type Mode uint8

// The single bits, NL_VALIDATE_*.
const (
	// Liberal ignores unknown types and what is left over behind the last
	// attribute, and takes integers that are too long.
	Liberal Mode = 0
	// Trailing refuses bytes left over behind the last attribute.
	Trailing Mode = 1
	// MaxType refuses types above the policy's and type 0.
	MaxType Mode = 2
	// UnspecStrict refuses attributes whose rule is KindUnspec
	// (NL_VALIDATE_UNSPEC).
	UnspecStrict Mode = 4
	// StrictAttrs refuses integers that are too long.
	StrictAttrs Mode = 8
	// NestedFlag requires the Nested bit on nests, and only there
	// (NL_VALIDATE_NESTED).
	NestedFlag Mode = 16
)

// The kernel's sets.
const (
	// Deprecated is what nla_parse_deprecated and its relatives apply.
	Deprecated = Liberal
	// DeprecatedStrict is what the ..._deprecated_strict functions apply.
	DeprecatedStrict = Trailing | MaxType
	// Strict is what nla_parse, nlmsg_parse and nla_validate apply.
	Strict = Trailing | MaxType | UnspecStrict | StrictAttrs | NestedFlag
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
