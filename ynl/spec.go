package ynl

// Level is the schema of a spec. It determines which keys the spec may have.
type Level uint8

// The schema levels (key protocol).
const (
	Genetlink       Level = iota // genetlink; also without a key protocol
	GenetlinkC                   // genetlink-c: also names for C
	GenetlinkLegacy              // genetlink-legacy: also fixed headers and directional numbers
	NetlinkRaw                   // netlink-raw: another netlink protocol, with sub-messages
)

var levelNames = []string{"genetlink", "genetlink-c", "genetlink-legacy", "netlink-raw"}

// String returns the name that specs use.
func (l Level) String() string { return nameOf(levelNames, int(l)) }

// GenericProtocol is the netlink protocol of Generic Netlink families
// (NETLINK_GENERIC).
const GenericProtocol = 16

// Spec is a netlink family: its operations, attributes and types. All names in it are resolved.
// A Spec must not be changed; goroutines may share it.
type Spec struct {
	Name     string
	Level    Level
	Protocol uint16 // the netlink protocol; GenericProtocol unless Level is NetlinkRaw
	Version  uint8  // of the Generic Netlink header; 1 if the spec has none
	// UAPIHeader is the C header that defines the family: "linux/rtnetlink.h"; "" if unknown.
	UAPIHeader string

	Consts      []*Const
	Enums       []*Enum // enums and flags
	Structs     []*Struct
	Sets        []*Set
	SubMessages []*SubMessage
	Ops         []*Op
	Groups      []*Group

	// Warnings are unknown keys, and names that the spec misspells. The format grows with
	// every kernel release, so they do not prevent loading.
	Warnings []*Error

	names       names
	opPrefix    string
	asyncPrefix string
}

// Const is a named number or text of a spec.
type Const struct {
	Name  string
	Value int64
	Text  string // the value, if it is not a number
	// Kernel marks a constant that depends on the build of the kernel (scope: kernel). Value
	// is then a placeholder and not a limit.
	Kernel bool

	prefix string
}

// Enum is a list of named numbers: the values of an enum, or the bits of flags.
type Enum struct {
	Name    string
	Flags   bool // the values of the entries are bit numbers
	Entries []EnumEntry

	byValue map[int64]int
	byName  map[string]int
	dense   []string // names by value, if most values have one
	prefix  string
}

// EnumEntry is a name and its value: for flags, the number of a bit.
type EnumEntry struct {
	Name  string
	Value int64
}

// ByValue returns the name of a value, for flags of a bit number, and whether it has a name.
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

// ByName returns the value of a name, for flags the bit number, and whether the name exists.
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
	Flags   bool  // the value is a set of bits with the names of Enum
	Hint    Hint  // how the value is printed
	Struct  *Struct
	Len     int // of a member that is binary, pad or string
}

// Struct is a C struct: a fixed header, or the payload of an attribute. Padding between members
// is a member without a name. Size excludes the padding that C adds at the end.
type Struct struct {
	Name    string
	Size    int
	Members []Member

	byName map[string]int
	align  int // size of the widest member, to which C pads the end of the struct
}

// padded returns the size of the struct in C.
func (s *Struct) padded() int { return (s.Size + s.align - 1) / s.align * s.align }

// Member is a member of a struct.
type Member struct {
	Name   string
	Offset int
	Layout
}

// Set is an attribute set: the attributes of a message or of a nest.
type Set struct {
	Name   string
	Parent *Set // of a subset, or nil
	Attrs  []*Attr

	byName  map[string]*Attr
	byValue map[uint16]*Attr
	dense   []*Attr // attributes by number, if most numbers have one
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
	Value uint16 // type number
	Layout
	Multi      bool     // the attribute may repeat, as a list
	Nested     *Set     // of a nest, of the nests of an array, and of nest-type-value
	TypeValue  []string // of nest-type-value: names for the type numbers of its nests
	SubMessage *SubMessage
	Selector   string // name of the attribute, in this or in an outer set, that selects the format
	Checks     *Checks

	set    *Set
	place  int // in set.Attrs
	prefix string
}

// Checks are the limits of an attribute in the kernel's policy. A nil limit is not checked.
type Checks struct {
	Min, Max                 *int64 // for unsigned types the bits of a uint64
	MinLen, MaxLen, ExactLen *int64
	Mask                     *Enum // flags that may be set
	UnterminatedOK           bool  // a string need not end with NUL
}

// SubMessage is a payload with several formats. The value of another attribute, the selector,
// determines the format.
type SubMessage struct {
	Name    string
	Formats []*Format

	byValue map[string]*Format
}

// Format is a format of a sub-message: a header, attributes, both or neither.
type Format struct {
	Value       string  // of the selector
	FixedHeader *Struct // before the attributes, or nil
	Attrs       *Set
}

// anyValue is the value of a format that does not depend on the selector. It occurs in the
// overlay, not in specs.
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
