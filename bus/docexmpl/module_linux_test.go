package docexmpl_test

import (
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/moduletest"
	"github.com/nlwire/nlwire/nlmsg"
)

// The module doc_exmpl and the bus reply to 20,000 requests with the same bytes.
func TestLoadedModule(t *testing.T) {
	family := func(*bus.Bus) *bus.Family { return docexmpl.New() }
	moduletest.Kernel(t, docexmpl.Name, family, func(g generate.Generator, id nlmsg.Type, seq uint32) ([]byte, time.Duration) {
		return g.Request(id, g.RequestFlags(), seq, uint8(g.IntN(3)), g.Stream(docexmpl.Policy)), 0
	})
}
