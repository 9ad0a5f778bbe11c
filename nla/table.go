package nla

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// Table locates the attributes of a stream by type. It is filled by Read, or by policy.Parse,
// which also validates the attributes.
//
//	var slots [attrMax + 1]uint32 // or nla.NewTable(p.MaxType())
//	tb := nla.Table{Slots: slots[:]}
//	if err := tb.Read(b); err != nil {
//		return err
//	}
//	mtu, name := tb.Uint32(attrMTU), tb.Text(attrName)
//
// The getters have no errors. They return zero for an attribute that is absent (see Has) or too
// short. If an attribute is longer than the value, they read its first bytes, as the kernel's
// getters do; the liberal modes of validation accept such attributes. Results alias the stream. A
// nest is read with another Table; after policy.Parse the nest is known to be valid.
//
// Slots in a local array, as above, move to the heap if a view from the table outlives the
// function, or if a nest from the table is passed to Read, NewReader or All; Walk and Consume leave
// them on the stack. A Table that is made once and reused does not allocate.
type Table struct {
	// Stream is the stream that the slots refer to.
	Stream []byte
	// Slots holds, for each type, the distance in bytes from the start of the attribute to the
	// end of Stream: the attribute starts at Stream[len(Stream)-slot]. 0 is an absent attribute.
	// Types above the last slot are skipped, so a Table without slots finds no attribute.
	Slots []uint32
}

// NewTable returns a Table with slots for types up to maxType. It allocates.
func NewTable(maxType int) *Table { return &Table{Slots: make([]uint32, maxType+1)} }

// MaxStream is the length of the longest stream that Table.Read accepts.
const MaxStream = min(math.MaxUint32, math.MaxInt)

// Read fills the table with the attributes of b. Like nla_parse it keeps the last attribute of a
// type and ignores type 0. If an attribute is malformed, it returns a *SyntaxError, and the
// attributes before it are in the table. It returns ErrTooLong if b is longer than [MaxStream].
// Only a *SyntaxError allocates.
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

// Has reports whether an attribute of the given type is present.
func (tb *Table) Has(typ uint16) bool { return tb.Get(typ) != nil }

// head returns the first n bytes of the payload, or nil if it is shorter.
func (tb *Table) head(typ uint16, n int) []byte {
	if p := tb.Get(typ).Payload(); len(p) >= n {
		return p[:n]
	}
	return nil
}

// Uint8 returns an NLA_U8, 0 if it is absent (nla_get_u8).
func (tb *Table) Uint8(typ uint16) uint8 {
	if p := tb.head(typ, 1); p != nil {
		return p[0]
	}
	return 0
}

// Uint16 returns an NLA_U16, 0 if it is absent (nla_get_u16).
func (tb *Table) Uint16(typ uint16) uint16 {
	if p := tb.head(typ, 2); p != nil {
		return ne.Uint16(p)
	}
	return 0
}

// Uint32 returns an NLA_U32, 0 if it is absent (nla_get_u32).
func (tb *Table) Uint32(typ uint16) uint32 {
	if p := tb.head(typ, 4); p != nil {
		return ne.Uint32(p)
	}
	return 0
}

// Uint64 returns an NLA_U64, 0 if it is absent (nla_get_u64).
func (tb *Table) Uint64(typ uint16) uint64 {
	if p := tb.head(typ, 8); p != nil {
		return ne.Uint64(p)
	}
	return 0
}

// Int8 returns an NLA_S8, 0 if it is absent.
func (tb *Table) Int8(typ uint16) int8 { return int8(tb.Uint8(typ)) }

// Int16 returns an NLA_S16, 0 if it is absent.
func (tb *Table) Int16(typ uint16) int16 { return int16(tb.Uint16(typ)) }

// Int32 returns an NLA_S32, 0 if it is absent.
func (tb *Table) Int32(typ uint16) int32 { return int32(tb.Uint32(typ)) }

// Int64 returns an NLA_S64, 0 if it is absent.
func (tb *Table) Int64(typ uint16) int64 { return int64(tb.Uint64(typ)) }

// BE16 returns the value of an NLA_BE16, 0 if it is absent.
func (tb *Table) BE16(typ uint16) uint16 {
	if p := tb.head(typ, 2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

// BE64 returns the value of a 64-bit integer in network byte order, 0 if it is absent.
func (tb *Table) BE64(typ uint16) uint64 {
	if p := tb.head(typ, 8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// BE32 returns the value of an NLA_BE32, 0 if it is absent.
func (tb *Table) BE32(typ uint16) uint32 {
	if p := tb.head(typ, 4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// Uint returns an NLA_UINT of 4 or 8 bytes, 0 if it is absent (nla_get_uint).
func (tb *Table) Uint(typ uint16) uint64 {
	if len(tb.Get(typ)) == HeaderLen+4 {
		return uint64(tb.Uint32(typ))
	}
	return tb.Uint64(typ)
}

// Sint returns an NLA_SINT of 4 or 8 bytes, 0 if it is absent (nla_get_sint).
func (tb *Table) Sint(typ uint16) int64 {
	if len(tb.Get(typ)) == HeaderLen+4 {
		return int64(tb.Int32(typ))
	}
	return tb.Int64(typ)
}

// Bitfield32 returns an NLA_BITFIELD32, zero if it is absent.
func (tb *Table) Bitfield32(typ uint16) Bitfield32 {
	if p := tb.head(typ, 8); p != nil {
		return Bitfield32{ne.Uint32(p), ne.Uint32(p[4:])}
	}
	return Bitfield32{}
}

// Msecs returns an NLA_MSECS, 0 if it is absent. A value above the range of a Duration returns
// the longest Duration (nla_get_msecs).
func (tb *Table) Msecs(typ uint16) time.Duration {
	const longest = 1<<63 - 1
	ms := tb.Uint64(typ)
	if ms > uint64(longest/time.Millisecond) {
		return longest
	}
	return time.Duration(ms) * time.Millisecond
}

// Flag reports whether an NLA_FLAG is present (nla_get_flag).
func (tb *Table) Flag(typ uint16) bool { return tb.Has(typ) }

// Text returns the bytes of an NLA_NUL_STRING or NLA_STRING before the first NUL, nil if it is
// absent. They alias the stream.
func (tb *Table) Text(typ uint16) []byte {
	text, _ := tb.Get(typ).Text()
	return text
}

// Addr returns an IP address of 4 or 16 bytes, the zero Addr if it is absent.
func (tb *Table) Addr(typ uint16) netip.Addr {
	addr, _ := tb.Get(typ).Addr()
	return addr
}

// Bytes returns the payload of an NLA_BINARY, or of a nest to be read with another Table, nil if
// it is absent. It aliases the stream.
func (tb *Table) Bytes(typ uint16) []byte { return tb.Get(typ).Payload() }
