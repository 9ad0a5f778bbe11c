package rivals

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink/nl"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/nla"
)

var encodeComparators = []comparator{
	{"mdlayher", mdlayherEncode},
	{"vishvananda", vishvanandaEncode},
	{"libmnl", mnlEncode},
	{"libnl", nlEncode},
}

// The input of a comparator of encoding is a program for generate.Tree.
func generateProgram(g generate.Generator) []byte { return random(g, g.IntN(120)) }

// tree returns the kinds that all libraries have. Kinds that some libraries lack are written as
// bytes, and canceled nests are written only by libraries that can cancel.
func tree(in []byte) []generate.Node {
	return common(generate.Tree(in[:min(len(in), 2000)]))
}

func common(nodes []generate.Node) (list []generate.Node) {
	for _, n := range nodes {
		n.Nest = common(n.Nest)
		switch n.Kind {
		case generate.NodeS8, generate.NodeS16, generate.NodeS32, generate.NodeS64:
			n.Kind -= generate.NodeS8
		case generate.NodeBE16, generate.NodeBE32, generate.NodeBE64, generate.NodeUint, generate.NodeSint, generate.NodeBitfield, generate.NodeMsecs, generate.NodeText:
			n.Kind, n.Bytes = generate.NodeBytes, nla.AppendUint64(nil, 0, n.Value)[nla.HeaderLen+int(n.Value%8):]
		case generate.NodeNestNoFlag:
			n.Kind = generate.NodeNest
		case generate.NodeCString:
			n.Bytes = bytes.ReplaceAll(n.Bytes, []byte{0}, []byte{1})
		}
		list = append(list, n)
	}
	return list
}

func encode(b []byte, nodes []generate.Node) []byte {
	for _, n := range nodes {
		switch n.Kind {
		case generate.NodeU8:
			b = nla.AppendUint8(b, n.Type, uint8(n.Value))
		case generate.NodeU16:
			b = nla.AppendUint16(b, n.Type, uint16(n.Value))
		case generate.NodeU32:
			b = nla.AppendUint32(b, n.Type, uint32(n.Value))
		case generate.NodeU64:
			b = nla.AppendUint64(b, n.Type, n.Value)
		case generate.NodeFlag:
			b = nla.AppendFlag(b, n.Type)
		case generate.NodeCString:
			b = nla.AppendCString(b, n.Type, string(n.Bytes))
		case generate.NodeBytes:
			b = nla.AppendBytes(b, n.Type, n.Bytes)
		case generate.NodeNest:
			mark := len(b)
			b = nla.Begin(b, n.Type)
			b = nla.End(encode(b, n.Nest), mark)
		}
	}
	return b
}

func sameBytes(theirs, ours []byte) verdict {
	if bytes.Equal(theirs, ours) {
		return agreed
	}
	return unnamed("% x\nnlwire: % x", theirs, ours)
}

func mdlayherEncode(in []byte) verdict {
	nodes := tree(in)
	ae := netlink.NewAttributeEncoder()
	mdlayherPut(ae, nodes)
	theirs, err := ae.Encode()
	if err != nil {
		return unnamed("%v", err)
	}
	return sameBytes(theirs, encode(nil, nodes))
}

func mdlayherPut(ae *netlink.AttributeEncoder, nodes []generate.Node) {
	for _, n := range nodes {
		switch n.Kind {
		case generate.NodeU8:
			ae.Uint8(n.Type, uint8(n.Value))
		case generate.NodeU16:
			ae.Uint16(n.Type, uint16(n.Value))
		case generate.NodeU32:
			ae.Uint32(n.Type, uint32(n.Value))
		case generate.NodeU64:
			ae.Uint64(n.Type, n.Value)
		case generate.NodeFlag:
			ae.Flag(n.Type, true)
		case generate.NodeCString:
			ae.String(n.Type, string(n.Bytes))
		case generate.NodeBytes:
			ae.Bytes(n.Type, n.Bytes)
		case generate.NodeNest:
			ae.Nested(n.Type, func(inner *netlink.AttributeEncoder) error {
				mdlayherPut(inner, n.Nest)
				return nil
			})
		}
	}
}

func vishvanandaEncode(in []byte) verdict {
	nodes := tree(in)
	var theirs []byte
	for _, n := range nodes {
		if a := vishvanandaAttribute(n); a != nil {
			theirs = append(theirs, a.Serialize()...)
		}
	}
	return sameBytes(theirs, encode(nil, nodes))
}

func vishvanandaAttribute(n generate.Node) *nl.RtAttr {
	typ := int(n.Type)
	switch n.Kind {
	case generate.NodeU8:
		return nl.NewRtAttr(typ, nl.Uint8Attr(uint8(n.Value)))
	case generate.NodeU16:
		return nl.NewRtAttr(typ, nl.Uint16Attr(uint16(n.Value)))
	case generate.NodeU32:
		return nl.NewRtAttr(typ, nl.Uint32Attr(uint32(n.Value)))
	case generate.NodeU64:
		return nl.NewRtAttr(typ, nl.Uint64Attr(n.Value))
	case generate.NodeFlag:
		return nl.NewRtAttr(typ, nil)
	case generate.NodeCString:
		return nl.NewRtAttr(typ, nl.ZeroTerminated(string(n.Bytes)))
	case generate.NodeBytes:
		return nl.NewRtAttr(typ, n.Bytes)
	case generate.NodeNest:
		a := nl.NewRtAttr(typ|nla.Nested, nil)
		for _, child := range n.Nest {
			if c := vishvanandaAttribute(child); c != nil {
				a.AddChild(c)
			}
		}
		return a
	}
	return nil
}

// program converts nodes to a program of puts for the C libraries.
func program(p []byte, nodes []generate.Node) []byte {
	step := func(op byte, typ uint16, data []byte) {
		p = ne.AppendUint16(append(p, op), typ)
		p = append(ne.AppendUint16(p, uint16(len(data))), data...)
	}
	for _, n := range nodes {
		switch n.Kind {
		case generate.NodeU8, generate.NodeU16, generate.NodeU32, generate.NodeU64:
			value := nla.AppendUint64(nil, 0, n.Value)[nla.HeaderLen:]
			step(clib.PutU8+byte(n.Kind-generate.NodeU8), n.Type, value)
		case generate.NodeFlag:
			step(clib.Put, n.Type, nil)
		case generate.NodeCString:
			step(clib.PutStrz, n.Type, append(slices.Clone(n.Bytes), 0))
		case generate.NodeBytes:
			step(clib.Put, n.Type, n.Bytes)
		case generate.NodeNest, generate.NodeCanceled:
			end := map[generate.NodeKind]byte{generate.NodeNest: clib.NestEnd, generate.NodeCanceled: clib.NestCancel}[n.Kind]
			step(clib.Nest, n.Type, nil)
			p = program(p, n.Nest)
			step(end, 0, nil)
		}
	}
	return p
}

func mnlEncode(in []byte) verdict {
	nodes := tree(in)
	theirs, ours := clib.MnlBuild(program(nil, nodes))[16:], encode(nil, nodes)
	v := sameBytes(theirs, ours)
	if v == agreed {
		return v
	}
	if clearPadding(theirs); bytes.Equal(theirs, ours) {
		return named("libmnl-stale-padding")
	}
	return v
}

// clearPadding writes zeros after each attribute, including those in nests.
func clearPadding(b []byte) {
	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			return
		}
		clear(b[len(a):n])
		if a.IsNested() {
			clearPadding(b[nla.HeaderLen:len(a)])
		}
		b = b[n:]
	}
}

func nlEncode(in []byte) verdict {
	nodes := tree(in)
	theirs, ours := clib.NlBuild(program(nil, nodes))[16:], encode(nil, nodes)
	if v := sameBytes(theirs, ours); v == agreed || !bytes.Equal(theirs, encode(nil, withoutEmpty(nodes))) {
		return v
	}
	return named("libnl-empty-nest")
}

// withoutEmpty removes empty nests, starting with the innermost.
func withoutEmpty(nodes []generate.Node) (list []generate.Node) {
	for _, n := range nodes {
		n.Nest = withoutEmpty(n.Nest)
		if n.Kind != generate.NodeNest || len(encode(nil, n.Nest)) > 0 {
			list = append(list, n)
		}
	}
	return list
}

// FuzzEncode compares the encoded bytes.
func FuzzEncode(f *testing.F) { fuzzKind(f, "encoding") }
