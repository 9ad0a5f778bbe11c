package rivals

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/fuzz/rivals/inner"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nlmsg"
)

var ne = binary.NativeEndian

// walked is the result of nlwire: the pieces, and the offset and the reason where it stops.
type walked struct {
	pieces []piece
	stop   int
	err    error
}

type piece struct {
	at      int
	typ     uint16
	payload []byte
}

func messages(b []byte) (w walked) {
	for m, err := range nlmsg.All(b) {
		if err != nil {
			var syntax *nlmsg.SyntaxError
			errors.As(err, &syntax)
			w.stop, w.err = syntax.Offset, syntax.Err
			return w
		}
		w.pieces = append(w.pieces, piece{offset(b, m), uint16(m.Type()), m.Payload()})
	}
	w.stop = len(b)
	return w
}

// offset returns the offset of part in b.
func offset(b, part []byte) int {
	for at := range b {
		if &b[at] == &part[0] {
			return at
		}
	}
	return -1
}

// unpadded reports whether the last piece lacks some of its padding.
func (w walked) unpadded(b []byte) bool { return w.err == nil && len(b)%4 != 0 }

// same compares the pieces with those of another library; get returns the type and payload of the
// i-th one.
func (w walked) same(n int, get func(i int) (typ uint16, payload []byte)) bool {
	if n != len(w.pieces) {
		return false
	}
	for i, p := range w.pieces {
		if typ, payload := get(i); typ != p.typ || !bytes.Equal(payload, p.payload) {
			return false
		}
	}
	return true
}

// isAt compares the pieces with those of a C library.
func (w walked) isAt(list []clib.Piece, header int) bool {
	return slices.EqualFunc(w.pieces, list, func(p piece, c clib.Piece) bool {
		return p.at == c.At && p.typ == c.Type && header+len(p.payload) == c.Len && !c.Outside
	})
}

var messageComparators = []comparator{
	{"syscall", syscallMessages},
	{"mdlayher", mdlayherMessages},
	{"libmnl", mnlMessages},
	{"libnl", nlMessages},
}

func syscallMessages(b []byte) verdict {
	w := messages(b)
	var theirs []syscall.NetlinkMessage
	var err error
	reason := panics(func() { theirs, err = syscall.ParseNetlinkMessage(b) })
	same := w.same(len(theirs), func(i int) (uint16, []byte) { return theirs[i].Header.Type, theirs[i].Data })
	switch {
	case reason != nil && isTwoGigabytes(b, w):
		return named("syscall-message-of-2-gigabytes")
	case reason != nil:
		return unnamed("panic %v; nlwire: %+v", reason, w)
	case err == nil && same && w.err == nil:
		return agreed
	case err == nil && same && w.err == nlmsg.ErrTruncated:
		return named("syscall-leftover")
	case err != nil && w.unpadded(b):
		return named("syscall-unpadded-last")
	case err != nil && w.err != nil && len(w.pieces) == 0:
		return agreed
	case err != nil && w.err != nil:
		return named("syscall-all-or-nothing")
	}
	return unnamed("%v, %v; nlwire: %+v", theirs, err, w)
}

// isTwoGigabytes reports whether the walk stops at a length that is negative as a 32-bit number,
// or becomes negative when aligned.
func isTwoGigabytes(b []byte, w walked) bool {
	return strconv.IntSize == 32 && w.err == nlmsg.ErrOverrun && ne.Uint32(b[w.stop:]) > math.MaxInt32-3
}

// mdlayherMessages passes to mdlayher the same bytes as its Conn: the datagram, and zeros up to
// the alignment.
func mdlayherMessages(b []byte) verdict {
	w := messages(b)
	padded := append(slices.Clone(b), make([]byte, -len(b)&3)...)
	var list []piece
	var failed error
	reason := panics(func() {
		for m, err := range inner.MdlayherMessages(padded) {
			if failed = err; err == nil {
				list = append(list, piece{typ: uint16(m.Header.Type), payload: m.Data})
			}
		}
	})
	same := w.same(len(list), func(i int) (uint16, []byte) { return list[i].typ, list[i].payload })
	switch {
	case reason != nil && isTwoGigabytes(b, w):
		return named("mdlayher-message-of-2-gigabytes")
	case reason == nil && same && (failed != nil) == (w.err != nil):
		return agreed
	case same && failed == nil && w.err == nlmsg.ErrTruncated:
		return named("mdlayher-leftover")
	case w.err != nil && len(list) > len(w.pieces) && leavesInput(b, w.stop):
		return named("mdlayher-reads-past-the-end")
	}
	return unnamed("%+v, %v, panic %v; nlwire: %+v", list, failed, reason, w)
}

// leavesInput reports whether the message at that offset is longer than the rest of the datagram,
// but not longer than the rest with padding added.
func leavesInput(b []byte, at int) bool {
	rest := append(slices.Clone(b[at:]), make([]byte, -len(b)&3)...)
	return len(rest) >= nlmsg.HeaderLen && int64(ne.Uint32(rest)) > int64(len(b)-at) && int64(ne.Uint32(rest)) <= int64(len(rest))
}

func mnlMessages(b []byte) verdict {
	w, list := messages(b), clib.MnlMessages(b)
	n := len(list)
	switch {
	case w.isAt(list, nlmsg.HeaderLen):
		return agreed
	case n > 0 && w.err == nlmsg.ErrOverrun && list[n-1].Outside && ne.Uint32(b[w.stop:]) >= 1<<31 && w.isAt(list[:n-1], nlmsg.HeaderLen):
		return named("libmnl-signed-length")
	}
	return unnamed("%+v; nlwire: %+v", list, w)
}

func nlMessages(b []byte) verdict {
	w, list := messages(b), clib.NlMessages(b)
	if w.isAt(list, nlmsg.HeaderLen) {
		return agreed
	}
	return unnamed("%+v; nlwire: %+v", list, w)
}

// FuzzMessages compares the iteration over the messages of a datagram.
func FuzzMessages(f *testing.F) { fuzzKind(f, "messages", inputs(seeds.Datagrams())...) }

func inputs(list []seeds.Seed) (all [][]byte) {
	for _, s := range list {
		all = append(all, s.B)
	}
	return all
}
