package fuzz

import "github.com/nlwire/nlwire/internal/test/generate"

// slowSizes maps integer kinds to their sizes.
var slowSizes = map[generate.NodeKind]int{
	generate.NodeU8: 1, generate.NodeU16: 2, generate.NodeU32: 4, generate.NodeU64: 8,
	generate.NodeS8: 1, generate.NodeS16: 2, generate.NodeS32: 4, generate.NodeS64: 8,
	generate.NodeMsecs: 8, generate.NodeBitfield: 8,
}

// slowEncode writes attributes byte by byte, like the kernel's nla_put functions.
func slowEncode(w *slowWriter, nodes []generate.Node) {
	for _, n := range nodes {
		typ := uint64(n.Type)
		switch n.Kind {
		case generate.NodeCanceled:
			continue
		case generate.NodeNest:
			typ += 0x8000
		}
		w.attribute(typ, slowPayload(n))
	}
}

func slowPayload(n generate.Node) []byte {
	var w slowWriter
	switch n.Kind {
	case generate.NodeNest, generate.NodeNestNoFlag:
		slowEncode(&w, n.Nest)
	case generate.NodeText, generate.NodeBytes:
		return n.Bytes
	case generate.NodeCString:
		return append(append(w.b, n.Bytes...), 0)
	case generate.NodeBE16, generate.NodeBE32, generate.NodeBE64:
		for size := map[generate.NodeKind]int{generate.NodeBE16: 2, generate.NodeBE32: 4, generate.NodeBE64: 8}[n.Kind]; size > 0; size-- {
			w.b = append(w.b, byte(n.Value>>(8*(size-1))))
		}
	case generate.NodeUint: // nla_put_uint
		w.number(n.Value, map[bool]int{true: 4, false: 8}[n.Value < 1<<32])
	case generate.NodeSint: // nla_put_sint
		isShort := int64(n.Value) >= -1<<31 && int64(n.Value) < 1<<31
		w.number(n.Value, map[bool]int{true: 4, false: 8}[isShort])
	case generate.NodeMsecs:
		w.number(n.Value%maxMsecs, 8)
	case generate.NodeBitfield:
		w.number(n.Value>>32, 4)
		w.number(n.Value%(1<<32), 4)
	case generate.NodeFlag:
	default:
		w.number(n.Value, slowSizes[n.Kind])
	}
	return w.b
}

// maxMsecs is the maximum number of milliseconds in a Duration.
const maxMsecs = (1<<63 - 1) / 1_000_000
