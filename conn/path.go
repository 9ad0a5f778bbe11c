package conn

import (
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// path returns the types of the attributes around an offset of the request and
// of the one that starts there: the inverse of NLMSGERR_ATTR_OFFS. It is nil
// when no attribute starts there.
func (r *Request) path(offset uint32) []uint16 {
	at := nlmsg.HeaderLen + nlmsg.Align(r.header)
	if at > len(r.B) {
		return nil
	}
	return pathTo(r.B[at:], int64(offset)-int64(at))
}

// pathTo finds the attribute at an offset of a stream. An attribute that the
// offset points into must be a nest: the kernel read it as one.
func pathTo(b []byte, offset int64) []uint16 {
	var path []uint16
	for offset >= 0 {
		a, n := nla.Consume(b)
		switch {
		case n < 0:
			return nil
		case offset == 0:
			return append(path, a.Type())
		case offset >= int64(n):
			b, offset = b[n:], offset-int64(n)
		default:
			path = append(path, a.Type())
			b, offset = a.Payload(), offset-nla.HeaderLen
		}
	}
	return nil
}

func (r *Request) name(path []uint16) string {
	if r.Name == nil || len(path) == 0 {
		return ""
	}
	return r.Name(path)
}

// pathText is "3/1": type 1 inside type 3.
func pathText(path []uint16) string {
	parts := make([]string, len(path))
	for i, typ := range path {
		parts[i] = strconv.Itoa(int(typ))
	}
	return strings.Join(parts, "/")
}

// ruleText tells a rule as the kernel described it.
func ruleText(r *nla.Rule) string {
	s := r.Kind.String()
	switch r.Check {
	case nla.CheckMask:
		return s + " with bits of 0x" + strconv.FormatUint(uint64(r.Mask), 16)
	case nla.CheckRange, nla.CheckMin, nla.CheckMax:
		return s + " of " + rangeText(r)
	}
	switch r.Kind {
	case nla.KindBitfield32:
		s += " with bits of 0x" + strconv.FormatUint(uint64(r.Mask), 16)
	case nla.KindString, nla.KindNULString, nla.KindBinary:
		if r.Len != 0 {
			s += " of at most " + strconv.Itoa(int(r.Len)) + " bytes"
		}
	}
	return s
}

// rangeText is "1..10".
func rangeText(r *nla.Rule) string {
	number := func(v int64) string { return strconv.FormatUint(uint64(v), 10) }
	switch r.Kind {
	case nla.KindS8, nla.KindS16, nla.KindS32, nla.KindS64, nla.KindSint:
		number = func(v int64) string { return strconv.FormatInt(v, 10) }
	}
	lo, hi := "", ""
	if r.Check != nla.CheckMax {
		lo = number(r.Min)
	}
	if r.Check != nla.CheckMin {
		hi = number(r.Max)
	}
	return lo + ".." + hi
}
