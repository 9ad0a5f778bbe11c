package nlmsg

import (
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The compiler cannot drop calls with results stored here.
var (
	sinkBytes  []byte
	sinkMsg    Msg
	sinkAnswer ExtAck
	sinkInt    int
	sinkU32    uint32
	sinkErr    error
	sinkBool   bool
)

func TestNoAllocs(t *testing.T) {
	buf := make([]byte, 0, 1024)
	good := request(8)
	ext := answering(full(), einval, good)
	short := good[:10]
	stream := append(append([]byte(nil), good...), good...)
	acked := Msg(AppendAck(nil, ext, AckOptions{PortID: 1, Ext: true}))
	ended := Msg(AppendDone(nil, ext, 0, AckOptions{PortID: 1, Ext: true}))
	tb := &nla.Table{Slots: make([]uint32, 2)}
	empty := &ExtAck{Request: short}
	var report policy.Report
	var said ExtAck
	guard.Allocs(t, map[string]func(){
		"Align":        func() { sinkInt = Align(sinkInt % 7) },
		"Size":         func() { sinkInt = Size(sinkInt % 7) },
		"Msg.Type":     func() { sinkU32 = uint32(good.Type()) + uint32(short.Type()) },
		"Msg.Header":   func() { sinkU32 = good.Header().Len + short.Header().Seq },
		"Msg.Flags":    func() { sinkU32 = uint32(good.Flags()) + uint32(short.Flags()) },
		"Msg.Seq":      func() { sinkU32 = good.Seq() + short.Seq() },
		"Msg.SetSeq":   func() { good.SetSeq(1); short.SetSeq(1) },
		"Msg.SetFlags": func() { good.SetFlags(FlagRequest); short.SetFlags(FlagRequest) },
		"Msg.PortID":   func() { sinkU32 = good.PortID() + short.PortID() },
		"Msg.Payload":  func() { sinkBytes = good.Payload(); sinkBytes = short.Payload() },
		"Msg.Attrs":    func() { sinkBytes = good.Attrs(4); sinkBytes = short.Attrs(4) },
		"Consume":      func() { sinkMsg, sinkInt = Consume(stream); sinkMsg, sinkInt = Consume(short) },
		"ParseError":   func() { sinkErr = ParseError(codeOverrun); sinkErr = ParseError(16) },
		"All": func() {
			for m, err := range All(stream) {
				sinkMsg, sinkErr = m, err
			}
		},
		"Walk":            func() { sinkBool = Walk(stream).More() },
		"Cursor.More":     func() { sinkBool = Walk(short).More() },
		"Cursor.Msg":      func() { sinkMsg = Walk(stream).Msg(); sinkMsg = Walk(short).Msg() },
		"Cursor.Type":     func() { sinkU32 = uint32(Walk(stream).Type()) + uint32(Walk(short).Type()) },
		"Cursor.Attrs":    func() { sinkBytes = Walk(stream).Attrs(4); sinkBytes = Walk(short).Attrs(4) },
		"Cursor.Next":     func() { sinkMsg = Walk(stream).Next().Msg(); sinkMsg = Walk(short).Next().Msg() },
		"Cursor.Err":      func() { sinkErr = Walk(stream).Err(); sinkErr = Walk(short).Err() },
		"KindOf":          func() { sinkU32 = uint32(KindOf(TypeError)) },
		"ParseAck":        func() { sinkAnswer, sinkErr = ParseAck(acked) },
		"ParseAckPayload": func() { sinkAnswer, sinkErr = ParseAckPayload(acked[HeaderLen:], acked.Flags()) },
		"ParseDone":       func() { sinkAnswer, sinkErr = ParseDone(ended) },
		"Begin":           func() { sinkBytes = Begin(buf[:0], 1, 2, 3, 4) },
		"End":             func() { sinkBytes = End(append(Begin(buf[:0], 1, 2, 3, 4), 1), 0) },
		"AppendAck": func() {
			sinkBytes = AppendAck(buf[:0], ext, AckOptions{PortID: 1, Ext: true})
			sinkBytes = AppendAck(buf[:0], empty, AckOptions{PortID: 1})
		},
		"AppendDone": func() {
			sinkBytes = AppendDone(buf[:0], ext, 0, AckOptions{PortID: 1, Ext: true})
			sinkBytes = AppendDone(buf[:0], empty, 0, AckOptions{PortID: 1})
		},
		"Parse": func() { sinkErr = Parse(tb, good, 4, devGet, policy.Liberal) },
		"ParseReport": func() {
			sinkU32 = uint32(ParseReport(tb, good, 4, devGet, policy.Strict, &report))
			sinkU32 = uint32(ParseReport(tb, short, 4, devGet, policy.Strict, &report))
		},
		"ExtAck.SetReport":   func() { sinkBytes = said.SetReport(&report, buf[:0]) },
		"SyntaxError.Unwrap": func() { sinkErr = (&SyntaxError{4, ErrOverrun}).Unwrap() },
	}, map[string]string{
		"Msg.Clone":         "returns a copy",
		"ExtAck.Clone":      "returns a copy",
		"Msg.String":        "returns text",
		"Type.String":       "returns text",
		"Flags.String":      "returns text",
		"Flags.Names":       "returns text",
		"SyntaxError.Error": "returns text",
	})
}

// A failure allocates at most one error value.
func TestFailuresAllocateOneErrorAtMost(t *testing.T) {
	broken := append(append([]byte(nil), request(8)...), 1, 2, 3)
	for name, f := range map[string]func(){
		"All": func() {
			for _, err := range All(broken) {
				sinkErr = err
			}
		},
		"ParseAck":  func() { _, sinkErr = ParseAck(answer1) },
		"ParseDone": func() { _, sinkErr = ParseDone(answer1) },
	} {
		if n := testing.AllocsPerRun(100, f); n > 1 || sinkErr == nil {
			t.Errorf("%s: %v allocations, error %v; want at most one of each", name, n, sinkErr)
		}
	}
}

var answer1 = request(0)

// These functions are called for every message.
func TestInlining(t *testing.T) {
	guard.Inlining(t, "Align", "Size", "Consume", "ParseError", "All", "All.func1",
		"Walk", "Cursor.More", "Cursor.Msg", "Cursor.Type", "Cursor.Attrs", "Cursor.Next",
		"Msg.Type", "Msg.Flags", "Msg.Seq", "Msg.PortID", "Msg.Payload", "Msg.Attrs",
		"Begin", "End", "KindOf")
}

func TestImports(t *testing.T) {
	guard.Imports(t, "fmt", "reflect")
	guard.OnlyIn(t, "unsafe", "unsafe.go")
}
