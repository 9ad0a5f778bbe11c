package differential

import (
	"testing"

	"github.com/mdlayher/genetlink"
	mdlayher "github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"

	"github.com/nlwire/nlwire/internal/test/original"
)

// The tests must use the original library: see package original.
func TestTheClientIsTheOriginal(t *testing.T) {
	for module, functions := range map[string][]any{
		"github.com/mdlayher/netlink":   {mdlayher.NewAttributeDecoder, (*mdlayher.Message).UnmarshalBinary, nlenc.Bytes},
		"github.com/mdlayher/genetlink": {genetlink.Dial},
	} {
		for _, f := range functions {
			if err := original.Check(module, f); err != nil {
				t.Error(err)
			}
		}
	}
}
