package ynl

// Level is the schema that a spec is written for: how much of the format it
// uses.
type Level uint8

// The schema levels (key protocol).
const (
	Genetlink       Level = iota // genetlink, also where the key is missing
	GenetlinkC                   // genetlink-c: genetlink and names for C
	GenetlinkLegacy              // genetlink-legacy: and fixed headers, directional numbers
	NetlinkRaw                   // netlink-raw: a protocol of its own, with sub-messages
)

var levelNames = []string{"genetlink", "genetlink-c", "genetlink-legacy", "netlink-raw"}

// String returns the name that specs use.
func (l Level) String() string { return nameOf(levelNames, int(l)) }

// GenericProtocol is the netlink protocol of Generic Netlink families
// (NETLINK_GENERIC).
const GenericProtocol = 16

// Spec is a netlink family: its operations, its attributes and its types. All
// names in it are resolved. A Spec must not be changed; many goroutines may
// share one.
type Spec struct {
	Name     string
	Level    Level
	Protocol uint16 // the netlink protocol; GenericProtocol unless Level is NetlinkRaw
	Version  uint8  // of the Generic Netlink header; 1 where the spec has none
	Header   string // the uapi header that defines the family, "" if not known

	Consts      []*Const
	Enums       []*Enum // enums and flags
	Structs     []*Struct
	Sets        []*Set
	SubMessages []*SubMessage
	Ops         []*Op
	Groups      []*Group

	// Warnings are the keys that this package does not know. The format grows
	// with every kernel release, so they do not prevent loading.
	Warnings []*Error

	names       names
	opPrefix    string
	asyncPrefix string
}

// Const is a named number, or text, of a spec.
type Const struct {
	Name  string
	Value int64
	Text  string // where the value is no number
	// Kernel marks a constant that only the kernel's build knows: Value is then a
	// placeholder and not a limit.
	Kernel bool

	prefix string
}

// Enum is a list of named numbers: the values of an enum, or the bits of flags.
type Enum struct {
	Name    string
	Flags   bool // entries are numbers of bits
	Entries []EnumEntry

	byValue map[int64]int
	byName  map[string]int
	dense   []string // names by value, unless most values have none
	prefix  string
}

// EnumEntry is a named value of an enum or, if it is of flags, the number of a bit.
type EnumEntry struct {
	Name  string
	Value int64
}

// ByValue returns the name of a value or of the number of a bit, and whether it
// has one.
func (e *Enum) ByValue(v int64) (string, bool) {
	if uint64(v) < uint64(len(e.dense)) {
		name := e.dense[v]
		return name, name != ""
	}
	if i, ok := e.byValue[v]; ok {
		return e.Entries[i].Name, true
	}
	return "", false
}

// ByName returns the value with that name, for flags the number of the bit.
func (e *Enum) ByName(name string) (int64, bool) {
	i, ok := e.byName[name]
	if !ok {
		return 0, false
	}
	return e.Entries[i].Value, true
}

// Layout describes how the bytes of a value are read.
type Layout struct {
	Type    Type
	SubType Type  // of the elements, for TypeIndexedArray and a TypeBinary that is an array
	Order   Order // of integers
	Enum    *Enum // names of the value, or nil
	Flags   bool  // the value is a set of the bits that Enum names
	Hint    Hint  // how to show the value
	Struct  *Struct
	Len     int // of a member that is binary, pad or string
}

// Struct is a C struct: a fixed header, or the payload of an attribute. Padding
// between members is a member; Size is without that at the end.
type Struct struct {
	Name    string
	Size    int
	Members []Member

	byName map[string]int
	align  int // of its widest member: C pads the end of the struct to it
}

// padded returns the size that C has for the struct.
func (s *Struct) padded() int { return (s.Size + s.align - 1) / s.align * s.align }

// Member is a member of a struct.
type Member struct {
	Name   string
	Offset int
	Layout
}

// Set is an attribute set: what may be in a message or in a nest.
type Set struct {
	Name   string
	Parent *Set // the set that this one is a subset of, or nil
	Attrs  []*Attr

	byName  map[string]*Attr
	byValue map[uint16]*Attr
	dense   []*Attr // the same by index, unless most numbers have no attribute
	prefix  string
}

// Attr returns the attribute with that name, or nil.
func (s *Set) Attr(name string) *Attr { return s.byName[name] }

// ByValue returns the attribute with that number, or nil.
func (s *Set) ByValue(n uint16) *Attr {
	if int(n) < len(s.dense) {
		return s.dense[n]
	}
	return s.byValue[n]
}

// Attr is an attribute of a set.
type Attr struct {
	Name  string
	Value uint16 // its type number
	Layout
	Multi      bool     // an array by repetition of the attribute
	Nested     *Set     // of nests, of arrays of nests, and of nest-type-value
	TypeValue  []string // names of the numbers that the types of nest-type-value are
	SubMessage *SubMessage
	Selector   string // the attribute, here or in an outer set, that selects the format
	Checks     *Checks

	set    *Set
	place  int // in set.Attrs
	prefix string
}

// Checks are the limits that the kernel's policy has for an attribute. A nil
// limit is none.
type Checks struct {
	Min, Max                 *int64 // for unsigned types as uint64
	MinLen, MaxLen, ExactLen *int64
	Mask                     *Enum // flags that may be set
	UnterminatedOK           bool  // a string need not end with NUL
}

// SubMessage is a payload whose format depends on the value of another attribute.
type SubMessage struct {
	Name    string
	Formats []*Format

	byValue map[string]*Format
}

// Format is a format of a sub-message: a header, attributes, both or neither.
type Format struct {
	Value  string // of the selector
	Header *Struct
	Attrs  *Set
}

// anyValue is the value of a format that does not depend on the selector. Specs do
// not have it; the overlay does.
const anyValue = "*"

// Format returns the format for that value of the selector, or nil.
func (m *SubMessage) Format(value string) *Format {
	if f := m.byValue[value]; f != nil {
		return f
	}
	return m.byValue[anyValue]
}

// Group is a multicast group.
type Group struct {
	Name  string
	Value uint32 // 0 for Generic Netlink, whose controller assigns the numbers
}
