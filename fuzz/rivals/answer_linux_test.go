package rivals

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/mdlayher/netlink"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/fuzz/rivals/inner"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nlmsg"
)

var answerComparators = []comparator{
	{"mdlayher", mdlayherAnswer},
	{"libmnl", mnlAnswer},
	{"libnl", nlAnswer},
}

func generateAnswer(g generate.Generator) []byte {
	b := g.Answer()
	if g.IntN(4) == 0 {
		b = g.Spoil(b)
	}
	return b
}

// answer is the first message of an input, if it is an Error or a Done.
type answer struct {
	nlmsg.Msg
	nlmsg.ExtAck
	err error
	raw int32 // the errno with its sign
}

func firstAnswer(in []byte) (a answer, ok bool) {
	m, n := nlmsg.Consume(in)
	if n < 0 || m.Type() != nlmsg.TypeError && m.Type() != nlmsg.TypeDone {
		return answer{}, false
	}
	a.Msg = m
	if a.ExtAck, a.err = nlmsg.ParseAck(m); m.Type() == nlmsg.TypeDone {
		a.ExtAck, a.err = nlmsg.ParseDone(m)
	}
	if p := m.Payload(); len(p) >= 4 {
		a.raw = int32(ne.Uint32(p))
	}
	return a, true
}

// echoed returns the length field of the repeated request.
func (a answer) echoed() int64 {
	if p := a.Payload(); len(p) >= 8 {
		return int64(ne.Uint32(p[4:]))
	}
	return 0
}

func (a answer) has(f nlmsg.Flags) bool { return a.Flags()&f != 0 }

func mdlayherAnswer(in []byte) verdict {
	a, ok := firstAnswer(in)
	if !ok {
		return agreed
	}
	var m netlink.Message
	if err := m.UnmarshalBinary(append(slices.Clone(a.Msg), make([]byte, -len(a.Msg)&3)...)); err != nil {
		return unnamed("%v", err)
	}
	var err error
	if reason := panics(func() { err = inner.MdlayherCheck(m) }); reason != nil {
		if strconv.IntSize == 32 && a.echoed() > math.MaxInt32-20 {
			return named("mdlayher-request-of-2-gigabytes")
		}
		return unnamed("panic %v", reason)
	}
	var op *netlink.OpError
	errors.As(err, &op)
	errno, isErrno := syscall.Errno(0), false
	if op != nil {
		errno, isErrno = op.Err.(syscall.Errno)
	}
	isDone := a.Type() == nlmsg.TypeDone
	isCut := len(a.Payload()) < 4
	switch {
	case isDone && !a.has(nlmsg.FlagMulti) && err == nil && (a.Errno != 0 || a.err != nil || a.ExtAck.Msg != nil):
		return named("mdlayher-done-without-multi")
	case isCut && isDone && a.err == nil && err == nil, isCut && a.err != nil && err != nil && !isErrno:
		return agreed
	case err == nil && a.Errno == 0 && (a.ExtAck.Msg != nil || a.Cookie != nil):
		return named("mdlayher-drops-warnings")
	case err == nil && a.Errno == 0:
		return agreed
	case isDone && a.raw > 0 && err != nil:
		return named("mdlayher-done-count")
	case !isDone && a.raw > 0 && isErrno && uint32(-int32(errno)) == uint32(a.Errno):
		return named("mdlayher-positive-errno")
	case err != nil && !isErrno && a.has(nlmsg.FlagAckTLVs):
		return mdlayherLost(a)
	case !isErrno || uint32(errno) != uint32(a.Errno):
		return unnamed("%v; nlwire: %+v, %v", err, a.ExtAck, a.err)
	}
	return mdlayherExtAck(a, op)
}

// mdlayherLost names the reason why the errno was lost.
func mdlayherLost(a answer) verdict {
	switch {
	case len(a.Payload()) < 20:
		return named("mdlayher-cut-request-loses-errno")
	case a.has(nlmsg.FlagCapped) && a.echoed() > int64(len(a.Payload())-4):
		return named("mdlayher-capped-loses-errno")
	case errors.Is(a.err, nlmsg.ErrEcho):
		return named("mdlayher-bad-request-loses-errno")
	}
	return unnamed("nlwire: %+v, %v", a.ExtAck, a.err)
}

// mdlayherExtAck compares the text and the offset if both libraries found the errno.
func mdlayherExtAck(a answer, op *netlink.OpError) verdict {
	switch {
	case a.err != nil, op.Message == string(a.ExtAck.Msg) && (uint32(op.Offset) == a.Offset):
		return agreed
	case a.Type() == nlmsg.TypeError && a.has(nlmsg.FlagCapped) && a.echoed() != nlmsg.HeaderLen:
		return named("mdlayher-capped-looks-elsewhere")
	case a.Type() == nlmsg.TypeError && len(a.Request)%4 != 0:
		return named("mdlayher-unaligned-request")
	case bytes.HasPrefix([]byte(op.Message), append(slices.Clone(a.ExtAck.Msg), 0)):
		return named("mdlayher-text-after-nul")
	}
	return unnamed("%q at %d; nlwire: %+v, %v", op.Message, op.Offset, a.ExtAck, a.err)
}

func mnlAnswer(in []byte) verdict {
	a, ok := firstAnswer(in)
	if !ok {
		return agreed
	}
	const stop, failed = 0, -1
	result, errno := clib.MnlAnswer(a.Msg)
	isDone := a.Type() == nlmsg.TypeDone
	switch {
	case result == failed && a.has(nlmsg.FlagDumpIntr) && syscall.Errno(errno) == syscall.EINTR:
		return named("libmnl-interrupted")
	case isDone && result == stop && a.Errno == 0 && a.err == nil:
		return agreed
	case isDone && result == stop:
		return named("libmnl-done-errno")
	case !isDone && len(a.Msg) < 36 && result == failed && syscall.Errno(errno) == syscall.EBADMSG:
		if len(a.Payload()) >= 4 {
			return named("libmnl-cut-request-loses-errno")
		}
		return agreed
	case !isDone && uint32(errno) == uint32(a.Errno) && result == map[bool]int{true: stop, false: failed}[a.Errno == 0]:
		return agreed
	}
	return unnamed("%d, errno %d; nlwire: %+v, %v", result, errno, a.ExtAck, a.err)
}

// nleInterrupted is NLE_DUMP_INTR of netlink/errno.h.
const nleInterrupted = 33

func nlAnswer(in []byte) verdict {
	a, ok := firstAnswer(in)
	if !ok {
		return agreed
	}
	result, errno := clib.NlAnswer(a.Msg)
	isDone := a.Type() == nlmsg.TypeDone
	theirs := uint32(max(errno, -errno))
	switch {
	case result == -nleInterrupted && errno == 0 && a.has(nlmsg.FlagDumpIntr):
		return named("libnl-interrupted")
	case isDone && errno == 0 && result >= 0 && a.Errno == 0 && a.err == nil:
		return agreed
	case isDone && errno == 0 && result >= 0:
		return named("libnl-done-errno")
	case !isDone && len(a.Msg) < 36 && result < 0 && errno == 0:
		if len(a.Payload()) >= 4 {
			return named("libnl-cut-request-loses-errno")
		}
		return agreed
	case !isDone && theirs == uint32(a.Errno):
		return agreed
	}
	return unnamed("%d, error %d; nlwire: %+v, %v", result, errno, a.ExtAck, a.err)
}

// FuzzAnswers compares the errno of errors and ends of dumps, and the extended ACK that mdlayher
// reads.
func FuzzAnswers(f *testing.F) { fuzzKind(f, "answers", inputs(seeds.Datagrams())...) }
