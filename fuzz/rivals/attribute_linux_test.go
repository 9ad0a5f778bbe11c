package rivals

import (
	"errors"
	"io"
	"log"
	"slices"
	"syscall"
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink/nl"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

func init() { log.SetOutput(io.Discard) } // nl.ParseAttributes logs malformed attributes

func attributes(b []byte) (w walked) {
	for a, err := range nla.All(b) {
		if err != nil {
			var syntax *nla.SyntaxError
			errors.As(err, &syntax)
			w.stop, w.err = syntax.Offset, syntax.Err
			return w
		}
		w.pieces = append(w.pieces, piece{offset(b, a), a.Type(), a.Payload()})
	}
	w.stop = len(b)
	return w
}

func generateAttributes(g generate.Generator) []byte {
	b := g.Attributes()
	if g.IntN(3) == 0 {
		b = g.Spoil(b)
	}
	return b
}

var attributeComparators = []comparator{
	{"syscall", func(b []byte) verdict { return routeAttributes(b, syscallAttributes) }},
	{"vishvananda", func(b []byte) verdict { return routeAttributes(b, nl.ParseRouteAttr) }},
	{"vishvananda", vishvanandaAttributes},
	{"mdlayher", mdlayherAttributes},
	{"libmnl", mnlAttributes},
	{"libnl", nlAttributes},
}

func syscallAttributes(b []byte) ([]syscall.NetlinkRouteAttr, error) {
	m := &syscall.NetlinkMessage{Data: append(make([]byte, syscall.SizeofRtMsg), b...)}
	m.Header.Type = syscall.RTM_NEWROUTE
	return syscall.ParseNetlinkRouteAttr(m)
}

// routeAttributes compares a parser with the signature of syscall's; vishvananda's is a
// copy.
func routeAttributes(b []byte, parse func([]byte) ([]syscall.NetlinkRouteAttr, error)) verdict {
	w := attributes(b)
	var theirs []syscall.NetlinkRouteAttr
	var err error
	reason := panics(func() { theirs, err = parse(b) })
	same := w.same(len(theirs), func(i int) (uint16, []byte) { return theirs[i].Attr.Type & nla.TypeMask, theirs[i].Value })
	switch {
	case reason == nil && err == nil && same && w.err == nil:
		return agreed
	case reason == nil && err == nil && same && w.err == nla.ErrTruncated:
		return named("route-attributes-leftover")
	case reason != nil && w.unpadded(b):
		return named("route-attributes-unpadded-last")
	case err != nil && w.err != nil && len(w.pieces) == 0:
		return agreed
	case err != nil && w.err != nil:
		return named("route-attributes-all-or-nothing")
	}
	return unnamed("%v, %v, panic %v; nlwire: %+v", theirs, err, reason, w)
}

// vishvanandaAttributes compares the parser that logs malformed attributes.
func vishvanandaAttributes(b []byte) verdict {
	w := attributes(b)
	var list []nl.Attribute
	for a := range nl.ParseAttributes(b) {
		list = append(list, a)
	}
	if w.same(len(list), func(i int) (uint16, []byte) { return list[i].Type & nla.TypeMask, list[i].Value }) {
		return agreed
	}
	return unnamed("%v; nlwire: %+v", list, w)
}

func mdlayherAttributes(b []byte) verdict {
	w := attributes(b)
	var list []piece
	ad, err := netlink.NewAttributeDecoder(b)
	isEarly := err != nil
	if err == nil {
		for ad.Next() {
			list = append(list, piece{typ: ad.Type(), payload: ad.Bytes()})
		}
		err = ad.Err()
	}
	prefix := min(len(list), len(w.pieces))
	same := walked{pieces: w.pieces[:prefix]}.same(prefix, func(i int) (uint16, []byte) { return list[i].typ, list[i].payload })
	switch {
	case same && len(list) == len(w.pieces) && (err != nil) == (w.err != nil):
		return agreed
	case same && len(list) > len(w.pieces) && w.err == nla.ErrLength && ne.Uint16(b[w.stop:]) == 0:
		return named("mdlayher-length-0")
	case isEarly && w.err != nil:
		return named("mdlayher-looks-ahead")
	}
	return unnamed("%+v, %v; nlwire: %+v", list, err, w)
}

func mnlAttributes(b []byte) verdict {
	w, list := attributes(b), clib.MnlAttributes(b)
	if w.isAt(list, nla.HeaderLen) {
		return agreed
	}
	return unnamed("%+v; nlwire: %+v", list, w)
}

func nlAttributes(b []byte) verdict {
	w, list := attributes(b), clib.NlAttributes(b)
	if !w.isAt(list, nla.HeaderLen) {
		return unnamed("%+v; nlwire: %+v", list, w)
	}
	wanted := []uint16{0, 1, nla.TypeMask}
	for _, p := range w.pieces[:min(len(w.pieces), 20)] {
		wanted = append(wanted, p.typ)
	}
	for _, typ := range wanted {
		at := -1
		if a := nla.Find(b, typ); a != nil {
			at = offset(b, a)
		}
		if got := clib.NlFind(b, typ); got != at {
			return unnamed("nla_find(%d) is at %d; nlwire: %d", typ, got, at)
		}
	}
	return agreed
}

// FuzzAttributes compares the iteration over attributes, and the search for one.
func FuzzAttributes(f *testing.F) {
	list := inputs(seeds.Attributes())
	for _, s := range seeds.Recorded() {
		if m, n := nlmsg.Consume(s.B); n > 0 {
			list = append(list, slices.Clone(m.Attrs(4)))
		}
	}
	fuzzKind(f, "attributes", list...)
}
