package policy

import (
	"encoding/binary"
	"math"
)

// ne is the byte order of values.
var ne = binary.NativeEndian

func isSigned(k Kind) bool {
	return k == KindS8 || k == KindS16 || k == KindS32 || k == KindS64 || k == KindSint
}

func isMaskable(k Kind) bool {
	switch k {
	case KindU8, KindU16, KindU32, KindU64, KindUint, KindBE16, KindBE32:
		return true
	}
	return false
}

// isNest reports whether a kind holds attributes.
func isNest(k Kind) bool { return k == KindNested || k == KindNestedArray }

// isUnsigned reports whether the range of a kind is unsigned.
func isUnsigned(k Kind) bool { return isMaskable(k) || k == KindMsecs || k == KindBinary }

// unsigned returns the value to compare. minLen has ensured that p is long enough. With a Len
// below the size of the kind, missing bytes read as zeros.
func (r *Rule) unsigned(p []byte) uint64 {
	switch r.Kind {
	case KindBinary:
		return uint64(len(p))
	case KindUint:
		if len(p) == 4 {
			return uint64(ne.Uint32(p))
		}
	}
	var wide [8]byte
	copy(wide[:], p)
	switch r.Kind {
	case KindU8:
		return uint64(wide[0])
	case KindU16:
		return uint64(ne.Uint16(wide[:]))
	case KindU32:
		return uint64(ne.Uint32(wide[:]))
	case KindBE16:
		return uint64(binary.BigEndian.Uint16(wide[:]))
	case KindBE32:
		return uint64(binary.BigEndian.Uint32(wide[:]))
	}
	return ne.Uint64(wide[:])
}

// signed is unsigned for the signed kinds.
func (r *Rule) signed(p []byte) int64 {
	var wide [8]byte
	copy(wide[:], p)
	switch {
	case r.Kind == KindS8:
		return int64(int8(wide[0]))
	case r.Kind == KindS16:
		return int64(int16(ne.Uint16(wide[:])))
	case r.Kind == KindS32, r.Kind == KindSint && len(p) == 4:
		return int64(int32(ne.Uint32(wide[:])))
	}
	return int64(ne.Uint64(wide[:]))
}

// unsignedRange returns the limits. A limit that the check does not set is that of the kind
// (nla_get_range_unsigned).
func (r *Rule) unsignedRange() (lo, hi uint64) {
	hi = math.MaxUint64
	switch r.Kind {
	case KindU8:
		hi = math.MaxUint8
	case KindU16, KindBE16, KindBinary:
		hi = math.MaxUint16
	case KindU32, KindBE32:
		hi = math.MaxUint32
	}
	if r.Check != CheckMax && r.Check != CheckNone {
		lo = uint64(r.Min)
	}
	if r.Check != CheckMin && r.Check != CheckNone {
		hi = uint64(r.Max)
	}
	return lo, hi
}

// signedRange is unsignedRange for the signed kinds (nla_get_range_signed).
func (r *Rule) signedRange() (lo, hi int64) {
	bits := 64
	if size := int(sizes[r.Kind]); size != 0 {
		bits = 8 * size
	}
	lo, hi = -1<<(bits-1), 1<<(bits-1)-1
	if r.Check != CheckMax && r.Check != CheckNone {
		lo = r.Min
	}
	if r.Check != CheckMin && r.Check != CheckNone {
		hi = r.Max
	}
	return lo, hi
}

// SignedRange returns the limits of the values; ok is false if the kind is not a signed integer.
// A rule without a range has the limits of its kind.
func (r *Rule) SignedRange() (lo, hi int64, ok bool) {
	if !isSigned(r.Kind) {
		return 0, 0, false
	}
	lo, hi = r.signedRange()
	return lo, hi, true
}

// UnsignedRange returns the limits of the values; ok is false if the kind is neither an unsigned
// integer nor KindMsecs. A rule without a range has the limits of its kind.
func (r *Rule) UnsignedRange() (lo, hi uint64, ok bool) {
	if !isUnsigned(r.Kind) || r.Kind == KindBinary {
		return 0, 0, false
	}
	lo, hi = r.unsignedRange()
	return lo, hi, true
}
