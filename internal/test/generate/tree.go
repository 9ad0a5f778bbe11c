package generate

// Node is one attribute to write.
type Node struct {
	Type  uint16 // without flag bits
	Kind  NodeKind
	Value uint64 // of an integer, truncated to its size
	Bytes []byte // of a text or bytes
	Nest  []Node // of a nest
}

// NodeKind is the kind of a Node.
type NodeKind uint8

// The kinds of nodes. A canceled nest is begun, filled, and canceled.
const (
	NodeU8 NodeKind = iota
	NodeU16
	NodeU32
	NodeU64
	NodeS8
	NodeS16
	NodeS32
	NodeS64
	NodeBE16
	NodeBE32
	NodeBE64
	NodeUint
	NodeSint
	NodeBitfield
	NodeMsecs
	NodeFlag
	NodeCString
	NodeText
	NodeBytes
	NodeNest
	NodeNestNoFlag
	NodeCanceled
	nodeKinds
)

// sizes maps the integer kinds to the number of bytes that they read from a program.
var sizes = [nodeKinds]int{
	NodeU8: 1, NodeU16: 2, NodeU32: 4, NodeU64: 8, NodeS8: 1, NodeS16: 2, NodeS32: 4, NodeS64: 8,
	NodeBE16: 2, NodeBE32: 4, NodeBE64: 8, NodeUint: 8, NodeSint: 8, NodeBitfield: 8, NodeMsecs: 8,
}

// Tree interprets a program as attributes to write, so that a fuzzer can generate them. Any bytes
// are a valid program. The attributes take less than 16 times as many bytes.
func Tree(program []byte) []Node {
	t := treeReader{program}
	return t.nodes(0)
}

type treeReader struct{ b []byte }

func (t *treeReader) take(n int) []byte {
	n = min(n, len(t.b))
	taken := t.b[:n]
	t.b = t.b[n:]
	return taken
}

func (t *treeReader) byte() byte {
	if b := t.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// nodes reads until the end of the program, or until a byte that closes the nest.
func (t *treeReader) nodes(depth int) (list []Node) {
	for len(t.b) > 0 {
		c := t.byte()
		if c == 0xff && depth > 0 {
			break
		}
		list = append(list, t.node(NodeKind(c)%nodeKinds, depth))
	}
	return list
}

func (t *treeReader) node(kind NodeKind, depth int) Node {
	n := Node{Type: uint16(t.byte()), Kind: kind}
	if n.Type >= 200 {
		n.Type = 0x3fff - (n.Type - 200)
	}
	switch {
	case kind >= NodeNest && depth < 8:
		n.Nest = t.nodes(depth + 1)
	case kind >= NodeNest:
		n.Kind = NodeFlag
	case kind >= NodeCString:
		n.Bytes = t.take(int(t.byte()) % 64)
	default:
		for _, c := range t.take(sizes[kind]) {
			n.Value = n.Value<<8 | uint64(c)
		}
	}
	return n
}
