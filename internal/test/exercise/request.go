package exercise

import (
	"time"

	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Request makes a random request for the policy p. wait is not 0 if the reply may be late.
func Request(g generate.Generator, p *policy.Policy, id nlmsg.Type, seq uint32) (request []byte, wait time.Duration) {
	cmd := uint8(g.IntN(CmdFail + 2)) // also the numbers before the first and after the last command
	if cmd == CmdLate && g.IntN(20) != 0 || cmd == CmdLarge && g.IntN(4) != 0 {
		cmd = CmdEcho // the others take long
	}
	body := g.Bytes(HdrSize)
	switch {
	case cmd == CmdFail && g.IntN(3) != 0:
		body = append(body, failAttrs(g)...)
	case cmd == CmdBroken && g.IntN(2) == 0:
		body = nla.AppendUint32(body, attrU32, g.Uint32())
	case g.IntN(8) != 0:
		body = append(body, g.Stream(p)...)
	}
	if g.IntN(60) == 0 { // a truncated user header
		body = body[:g.IntN(HdrSize)]
	}
	if cmd == CmdLate {
		wait = 4 * Delay
	}
	return g.Request(id, g.RequestFlags(), seq, cmd, body), wait
}

// failAttrs makes the attributes that CmdFail uses.
func failAttrs(g generate.Generator) (b []byte) {
	if g.IntN(3) != 0 {
		b = nla.AppendUint32(b, attrU32, uint32(g.IntN(140)))
	}
	if g.IntN(2) == 0 {
		b = nla.AppendFlag(b, attrFlag)
	}
	if g.IntN(2) == 0 {
		b = nla.AppendBytes(b, attrBinary, g.Bytes(g.IntN(20)))
	}
	if g.IntN(2) == 0 {
		b = nla.AppendUint64(b, attrU64, 5+uint64(g.Uint32()))
	}
	if g.IntN(2) == 0 {
		nest := len(b)
		b = nla.End(nla.AppendUint32(nla.Begin(b, attrNest), attrU32, 1), nest)
	}
	if g.IntN(3) == 0 {
		b = nla.AppendInt32(b, attrS32, 7)
	}
	return b
}
