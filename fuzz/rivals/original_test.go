package rivals

import (
	"testing"

	"github.com/mdlayher/genetlink"
	mdlayher "github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
	vishvananda "github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"

	"github.com/nlwire/nlwire/internal/test/original"
)

// A rival must be itself: see package original.
func TestRivalsAreTheOriginals(t *testing.T) {
	for module, functions := range map[string][]any{
		"github.com/mdlayher/netlink":    {mdlayher.NewAttributeDecoder, (*mdlayher.Message).UnmarshalBinary, nlenc.Bytes},
		"github.com/mdlayher/genetlink":  {genetlink.Dial},
		"github.com/vishvananda/netlink": {vishvananda.LinkList, nl.ParseRouteAttr},
	} {
		for _, f := range functions {
			if err := original.Check(module, f); err != nil {
				t.Error(err)
			}
		}
	}
}
