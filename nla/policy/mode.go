package policy

import "strconv"

// Mode is the strictness of a validation (enum netlink_validation). The kernel defines the mode
// of each operation: most current Generic Netlink families use Strict, older ones Liberal.
type Mode uint8

// The single bits, NL_VALIDATE_*.
const (
	// Liberal is the mode of nla_parse_deprecated and related functions: it ignores unknown types
	// and bytes after the last attribute, and accepts integers that are too long.
	Liberal Mode = 0
	// ValidateTrailing rejects bytes after the last attribute.
	ValidateTrailing Mode = 1
	// ValidateMaxType rejects type 0 and types above the maximum of the policy.
	ValidateMaxType Mode = 2
	// ValidateUnspec rejects attributes with a rule of KindUnspec (NL_VALIDATE_UNSPEC).
	ValidateUnspec Mode = 4
	// ValidateStrictAttrs rejects integers that are too long.
	ValidateStrictAttrs Mode = 8
	// ValidateNested requires the Nested bit on nests and rejects it on other attributes
	// (NL_VALIDATE_NESTED).
	ValidateNested Mode = 16
)

// The combinations that the kernel uses.
const (
	// DeprecatedStrict is the mode of the ..._deprecated_strict functions.
	DeprecatedStrict = ValidateTrailing | ValidateMaxType
	// Strict is the mode of nla_parse, nlmsg_parse and nla_validate.
	Strict = ValidateTrailing | ValidateMaxType | ValidateUnspec | ValidateStrictAttrs | ValidateNested
)

// String returns the name of a combination, or of the bits: "strict", "trailing|maxtype".
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
