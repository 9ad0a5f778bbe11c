package rivals

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/vishvananda/netlink"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/fuzz/rivals/inner"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

var familyComparators = []comparator{
	{"mdlayher", mdlayherFamily},
	{"vishvananda", vishvanandaFamily},
	{"libnl", nlFamily},
}

// firstFamily returns the first message of an input if nlwire parses it as a family. Malformed
// families are compared as attributes and values instead.
func firstFamily(in []byte) (m nlmsg.Msg, f ctrl.Family, ok bool) {
	m, _ = nlmsg.Consume(in)
	if h, _ := genlmsg.Consume(m.Payload()); h.Cmd() != genlmsg.CtrlCmdNewFamily {
		return nil, f, false
	}
	f, err := ctrl.ParseFamily(m)
	return m, f, err == nil
}

func mdlayherFamily(in []byte) verdict {
	m, f, ok := firstFamily(in)
	if !ok {
		return agreed
	}
	theirs, err := inner.MdlayherFamily(genlmsg.Attrs(m, 0))
	same := func(is func(a, b string) bool) bool {
		return err == nil && theirs.ID == uint16(f.ID) && uint32(theirs.Version) == f.Version && is(theirs.Name, f.Name) &&
			slices.EqualFunc(theirs.Groups, f.Groups, func(a genetlink.MulticastGroup, b ctrl.Group) bool { return a.ID == b.ID && is(a.Name, b.Name) })
	}
	isSame := func(a, b string) bool { return a == b }
	switch {
	case same(isSame):
		return agreed
	case same(func(a, b string) bool { return a == b || strings.HasPrefix(a, b+"\x00") }):
		return named("mdlayher-name-after-nul")
	case err != nil && has(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrVersion, func(a nla.Attr) bool { v, _ := a.Uint32(); return v > 255 }):
		return named("mdlayher-version-over-255")
	}
	return unnamed("%+v, %v; nlwire: %+v", theirs, err, f)
}

// has reports whether an attribute of the given type satisfies is.
func has(attrs []byte, typ uint16, is func(nla.Attr) bool) bool {
	for a, err := range nla.All(attrs) {
		if err == nil && a.Type() == typ && is(a) {
			return true
		}
	}
	return false
}

func vishvanandaFamily(in []byte) verdict {
	m, f, ok := firstFamily(in)
	if !ok {
		return agreed
	}
	var list []*netlink.GenlFamily
	var err error
	reason := panics(func() { list, err = inner.VishvanandaFamilies([][]byte{m.Payload()}) })
	switch {
	case reason == nil && err == nil && len(list) == 1 && sameFamily(list[0], &f):
		return agreed
	case reason == nil && err == nil && hasFlags(genlmsg.Attrs(m, 0), 2):
		return named("vishvananda-flag-bits")
	case reason != nil && len(m)%4 != 0:
		return named("vishvananda-unpadded-family")
	}
	return unnamed("%+v, %v, panic %v; nlwire: %+v", list, err, reason, f)
}

func sameFamily(a *netlink.GenlFamily, b *ctrl.Family) bool {
	return a.ID == uint16(b.ID) && a.Name == b.Name && a.Version == b.Version && a.HdrSize == b.HdrSize && a.MaxAttr == b.MaxAttr &&
		slices.EqualFunc(a.Ops, b.Ops, func(a netlink.GenlOp, b ctrl.Op) bool { return a.ID == b.ID && a.Flags == uint32(b.Flags) }) &&
		slices.EqualFunc(a.Groups, b.Groups, func(a netlink.GenlMulticastGroup, b ctrl.Group) bool { return a.ID == b.ID && a.Name == b.Name })
}

// hasFlags reports whether an attribute, or one inside the arrays, has a flag bit.
func hasFlags(attrs []byte, depth int) bool {
	for a, err := range nla.All(attrs) {
		if err == nil && (a.IsNested() || a.IsNetByteOrder() || depth > 0 && hasFlags(a.Payload(), depth-1)) {
			return true
		}
	}
	return false
}

func nlFamily(in []byte) verdict {
	m, f, ok := firstFamily(in)
	if !ok {
		return agreed
	}
	theirs, err := clib.NlFamily(m)
	same := theirs.ID == uint32(f.ID) && theirs.Name == f.Name && theirs.Header == f.HdrSize && theirs.MaxAttr == f.MaxAttr
	switch {
	case err == 0 && same && theirs.Version == f.Version:
		return agreed
	case err == 0 && same && theirs.Version == f.Version%256:
		return named("libnl-version-cut")
	case err != 0 && hasName(genlmsg.Attrs(m, 0), func(a nla.Attr) bool { return len(a.Payload()) > genlmsg.NameSize }):
		return named("libnl-long-name")
	}
	if err != 0 && hasName(genlmsg.Attrs(m, 0), func(a nla.Attr) bool { return !bytes.HasSuffix(a, []byte{0}) }) {
		return named("libnl-name-ends-with-nul")
	}
	if err != 0 && isIncomplete(genlmsg.Attrs(m, 0)) {
		return named("libnl-incomplete-entry")
	}
	return unnamed("%+v, %d; nlwire: %+v", theirs, err, f)
}

// hasName reports whether the name of the family or of one of its groups satisfies is.
func hasName(attrs []byte, is func(nla.Attr) bool) bool {
	return has(attrs, genlmsg.CtrlAttrFamilyName, is) || has(attrs, genlmsg.CtrlAttrMulticastGroups, func(array nla.Attr) bool {
		for entry := range nla.All(array.Payload()) {
			if has(entry.Payload(), genlmsg.CtrlAttrMulticastGroupName, is) {
				return true
			}
		}
		return false
	})
}

// isIncomplete reports whether an operation has no number, or a group has no number or no name.
func isIncomplete(attrs []byte) bool {
	lacks := func(types ...uint16) func(nla.Attr) bool {
		return func(array nla.Attr) bool {
			for entry := range nla.All(array.Payload()) {
				for _, typ := range types {
					if nla.Find(entry.Payload(), typ) == nil {
						return true
					}
				}
			}
			return false
		}
	}
	return has(attrs, genlmsg.CtrlAttrOps, lacks(genlmsg.CtrlAttrOpID)) ||
		has(attrs, genlmsg.CtrlAttrMulticastGroups, lacks(genlmsg.CtrlAttrMulticastGroupID, genlmsg.CtrlAttrMulticastGroupName))
}

// FuzzFamilies compares the families of the controller.
func FuzzFamilies(f *testing.F) { fuzzKind(f, "families", inputs(seeds.Datagrams())...) }
