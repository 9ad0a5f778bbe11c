package conn

import (
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// path returns the types of the nests around the attribute at an offset of the request, and
// the type of the attribute itself: the inverse of NLMSGERR_ATTR_OFFS. It is nil if no
// attribute starts there.
func (r *Request) path(offset uint32) []uint16 {
	at := nlmsg.HeaderLen + nlmsg.Align(r.header)
	if at > len(r.B) {
		return nil
	}
	return pathTo(r.B[at:], int64(offset)-int64(at))
}

// pathTo finds the attribute at an offset of a stream. It treats an attribute that contains
// the offset as a nest, because the kernel parsed it as one.
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

// pathText formats a path: "3/1" is type 1 inside type 3.
func pathText(path []uint16) string {
	parts := make([]string, len(path))
	for i, typ := range path {
		parts[i] = strconv.Itoa(int(typ))
	}
	return strings.Join(parts, "/")
}
