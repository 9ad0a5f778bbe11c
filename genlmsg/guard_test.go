package genlmsg

import (
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nlmsg"
)

// The compiler cannot drop calls with results stored here.
var (
	sinkBytes  []byte
	sinkHeader Header
	sinkInt    int
)

func TestNoAllocs(t *testing.T) {
	buf := make([]byte, 0, 64)
	h := Header{1, 2, 0, 0}
	m := nlmsg.Msg(make([]byte, 32))
	guard.Allocs(t, map[string]func(){
		"Header.Cmd":       func() { sinkInt = int(h.Cmd()) + int(h[:1].Cmd()) },
		"Header.Version":   func() { sinkInt = int(h.Version()) + int(h[:1].Version()) },
		"Header.Reserved":  func() { sinkInt = int(h.Reserved()) + int(h[:1].Reserved()) },
		"Consume":          func() { sinkHeader, sinkInt = Consume(h); sinkHeader, sinkInt = Consume(h[:3]) },
		"UserHeader":       func() { sinkBytes = UserHeader(m, 8); sinkBytes = UserHeader(m, 80) },
		"Attrs":            func() { sinkBytes = Attrs(m, 8); sinkBytes = Attrs(m, 80) },
		"Append":           func() { sinkBytes = Append(buf[:0], 1, 2) },
		"AppendUserHeader": func() { sinkBytes = AppendUserHeader(buf[:0], h[:3]) },
	}, nil)
}

func TestInlining(t *testing.T) {
	guard.Inlining(t, "Header.Cmd", "Header.Version", "Header.Reserved", "Consume",
		"UserHeader", "Attrs", "Append", "AppendUserHeader")
}

func TestImports(t *testing.T) { guard.Imports(t, "fmt", "reflect", "unsafe") }
