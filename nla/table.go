package nla

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// Table has the places of the attributes of a stream, by type. Read fills it, and so does
// policy.Parse, which validates them too.
//
//	var slots [attrMax + 1]uint32 // or nla.NewTable(p.MaxType())
//	tb := nla.Table{Slots: slots[:]}
//	if err := tb.Read(b); err != nil {
//		return err
//	}
//	mtu, name := tb.Uint32(attrMTU), tb.Text(attrName)
//
// The getters are total: they return zero for an attribute that is not there (Has
// reports it) or that is too short, and like the kernel's they read the first bytes of one
// that is longer than the value, which the liberal modes let pass. What they return aliases
// the stream. A nest is read with another Table; after policy.Parse it is known to be valid.
//
// Slots in an array of the function, as above, move to the heap where a view from the table
// outlives the function. A Table that is made once and filled again does not allocate.
type Table struct {
	// Stream is what the slots refer to.
	Stream []byte
	// Slots have, by type, how many bytes of Stream there are from the attribute on, its header
	// included: so it starts at Stream[len(Stream)-slot]. 0 is an attribute that is not there.
	// Higher types than there are slots for are skipped: a Table without slots has none.
	Slots []uint32
}

// NewTable returns a Table with slots for types up to maxType. It allocates.
func NewTable(maxType int) *Table { return &Table{Slots: make([]uint32, maxType+1)} }

// MaxStream is the longest stream that a Table takes.
const MaxStream = min(math.MaxUint32, math.MaxInt)

// Read fills the table with the attributes of b: of several of a type the last one, and none
// of type 0, as nla_parse. A
// *SyntaxError, for a malformed attribute, leaves those before it in the table. The only
// allocation is that of an error. A b over [MaxStream] is ErrTooLong.
func (tb *Table) Read(b []byte) error {
	clear(tb.Slots)
	tb.Stream = b
	if len(b) > MaxStream {
		tb.Stream = nil
		return ErrTooLong
	}
	slots := tb.Slots
	c := Walk(b)
	for ; c.More(); c = c.Next() {
		if t := int(c.Type()); t < len(slots) {
			slots[t] = uint32(c.len())
		}
	}
	if len(slots) > 0 {
		slots[0] = 0
	}
	if c.len() != 0 {
		return syntaxError(b, c.len())
	}
	return nil
}

// Has reports whether there is an attribute of that type.
func (tb *Table) Has(typ uint16) bool { return tb.Get(typ) != nil }

// head returns the first n bytes of the payload, or nil.
func (tb *Table) head(typ uint16, n int) []byte {
	if p := tb.Get(typ).Payload(); len(p) >= n {
		return p[:n]
	}
	return nil
}

// Uint8 returns a NLA_U8, 0 if it is not there (nla_get_u8).
func (tb *Table) Uint8(typ uint16) uint8 {
	if p := tb.head(typ, 1); p != nil {
		return p[0]
	}
	return 0
}

// Uint16 returns a NLA_U16, 0 if it is not there (nla_get_u16).
func (tb *Table) Uint16(typ uint16) uint16 {
	if p := tb.head(typ, 2); p != nil {
		return ne.Uint16(p)
	}
	return 0
}

// Uint32 returns a NLA_U32, 0 if it is not there (nla_get_u32).
func (tb *Table) Uint32(typ uint16) uint32 {
	if p := tb.head(typ, 4); p != nil {
		return ne.Uint32(p)
	}
	return 0
}

// Uint64 returns a NLA_U64, 0 if it is not there (nla_get_u64).
func (tb *Table) Uint64(typ uint16) uint64 {
	if p := tb.head(typ, 8); p != nil {
		return ne.Uint64(p)
	}
	return 0
}

// Int8 returns a NLA_S8, 0 if it is not there.
func (tb *Table) Int8(typ uint16) int8 { return int8(tb.Uint8(typ)) }

// Int16 returns a NLA_S16, 0 if it is not there.
func (tb *Table) Int16(typ uint16) int16 { return int16(tb.Uint16(typ)) }

// Int32 returns a NLA_S32, 0 if it is not there.
func (tb *Table) Int32(typ uint16) int32 { return int32(tb.Uint32(typ)) }

// Int64 returns a NLA_S64, 0 if it is not there.
func (tb *Table) Int64(typ uint16) int64 { return int64(tb.Uint64(typ)) }

// BE16 returns a NLA_BE16 in host order, 0 if it is not there.
func (tb *Table) BE16(typ uint16) uint16 {
	if p := tb.head(typ, 2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

// BE64 returns 64 bits of network byte order in host order, 0 if it is not there.
func (tb *Table) BE64(typ uint16) uint64 {
	if p := tb.head(typ, 8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// BE32 returns a NLA_BE32 in host order, 0 if it is not there.
func (tb *Table) BE32(typ uint16) uint32 {
	if p := tb.head(typ, 4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// Uint returns a NLA_UINT of 4 or 8 bytes, 0 if it is not there (nla_get_uint).
func (tb *Table) Uint(typ uint16) uint64 {
	if len(tb.Get(typ)) == HeaderLen+4 {
		return uint64(tb.Uint32(typ))
	}
	return tb.Uint64(typ)
}

// Sint returns a NLA_SINT of 4 or 8 bytes, 0 if it is not there (nla_get_sint).
func (tb *Table) Sint(typ uint16) int64 {
	if len(tb.Get(typ)) == HeaderLen+4 {
		return int64(tb.Int32(typ))
	}
	return tb.Int64(typ)
}

// Bitfield32 returns a NLA_BITFIELD32, zero if it is not there.
func (tb *Table) Bitfield32(typ uint16) Bitfield32 {
	if p := tb.head(typ, 8); p != nil {
		return Bitfield32{ne.Uint32(p), ne.Uint32(p[4:])}
	}
	return Bitfield32{}
}

// Msecs returns a NLA_MSECS, 0 if it is not there, the longest Duration if it
// is more than that (nla_get_msecs).
func (tb *Table) Msecs(typ uint16) time.Duration {
	const longest = 1<<63 - 1
	ms := tb.Uint64(typ)
	if ms > uint64(longest/time.Millisecond) {
		return longest
	}
	return time.Duration(ms) * time.Millisecond
}

// Flag returns whether a NLA_FLAG is there (nla_get_flag).
func (tb *Table) Flag(typ uint16) bool { return tb.Has(typ) }

// Text returns the bytes of a NLA_NUL_STRING or NLA_STRING up to the first NUL,
// nil if it is not there. They alias the message.
func (tb *Table) Text(typ uint16) []byte {
	text, _ := tb.Get(typ).Text()
	return text
}

// Addr returns an IP address of 4 or 16 bytes, the zero Addr if it is not there.
func (tb *Table) Addr(typ uint16) netip.Addr {
	addr, _ := tb.Get(typ).Addr()
	return addr
}

// Bytes returns the payload of a NLA_BINARY, or of a nest for another Table, nil
// if it is not there. It aliases the message.
func (tb *Table) Bytes(typ uint16) []byte { return tb.Get(typ).Payload() }
