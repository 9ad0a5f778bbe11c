package fuzz

import (
	"slices"

	"github.com/nlwire/nlwire/internal/native"
)

// bytesAt reads numbers from bytes, one byte at a time.
type bytesAt []byte

// number reads n bytes in the byte order of the machine.
func (b bytesAt) number(at, n int) (v uint64) {
	for i := range n {
		digit := b[at+i]
		if !native.BigEndian {
			digit = b[at+n-1-i]
		}
		v = v*256 + uint64(digit)
	}
	return v
}

// slowFrame is the position of one message in the datagram.
type slowFrame struct{ at, end int }

// slowFrames walks a datagram like netlink_rcv_skb, and returns the offset where it stops.
func slowFrames(b bytesAt) (frames []slowFrame, stop int) {
	for len(b)-stop >= 16 {
		length := b.number(stop, 4)
		if length < 16 || length > uint64(len(b)-stop) {
			break
		}
		frames = append(frames, slowFrame{stop, stop + int(length)})
		for stop += int(length); stop%4 != 0 && stop < len(b); {
			stop++
		}
	}
	return frames, stop
}

// slowAnswer is the content of an Error or a Done, with the first problem and its offset.
type slowAnswer struct {
	errno   uint64
	request []byte
	texts   map[int]string // the text, the cookie, the policy
	numbers map[int]uint64
	wrong   string // the problem, or ""
	at      int
}

func (a *slowAnswer) blame(at int, word string) slowAnswer {
	a.wrong, a.at = word, at
	return *a
}

// slowParse reads a message as an answer: struct nlmsgerr of linux/netlink.h, as filled by
// netlink_ack and netlink_dump_done.
func slowParse(m bytesAt, isDone bool) slowAnswer {
	a := slowAnswer{texts: map[int]string{}, numbers: map[int]uint64{}}
	typ, flags := m.number(4, 2), m.number(6, 2)
	switch {
	case isDone && typ != 3 || !isDone && typ != 2:
		return a.blame(4, "type")
	case isDone && len(m) == 16:
		return a
	case len(m) < 20:
		return a.blame(len(m), "cut")
	}
	errno := m.number(16, 4)
	if errno >= 1<<31 {
		a.errno = 1<<32 - errno
	} else if !isDone {
		a.errno = errno
	}
	tlvs := 20
	if !isDone {
		if word := a.echo(m, flags&0x100 != 0, flags&0x200 != 0); word != "" {
			return a.blame(map[string]int{"cut": len(m), "echo": 20}[word], word)
		}
		for tlvs += len(a.request); tlvs%4 != 0; {
			tlvs++
		}
	}
	if flags&0x200 != 0 {
		a.attributes(m, tlvs)
	}
	return a
}

// echo reads the repeated request after the errno.
func (a *slowAnswer) echo(m bytesAt, capped, hasAttributes bool) (wrong string) {
	if len(m) < 36 {
		return "cut"
	}
	length := m.number(20, 4)
	a.request = m[20:36]
	switch {
	case capped:
	case length >= 16 && length <= uint64(len(m)-20):
		a.request = m[20 : 20+length]
	case a.errno == 0 && !hasAttributes: // before Linux 4.12
	default:
		return "echo"
	}
	return ""
}

// attributes reads the extended ACK until the first malformed attribute.
func (a *slowAnswer) attributes(m bytesAt, at int) {
	for at < len(m) {
		if len(m)-at < 4 {
			a.blame(at, "header")
			return
		}
		length, typ := int(m.number(at, 2)), int(m.number(at+2, 2))%0x4000
		if length < 4 || length > len(m)-at {
			a.blame(at, map[bool]string{true: "length", false: "overrun"}[length < 4])
			return
		}
		payload := m[at+4 : at+length]
		switch typ {
		case 2, 5, 6:
			if len(payload) != 4 {
				a.blame(at, "size")
				return
			}
			a.numbers[typ] = payload.number(0, 4)
		case 1:
			if end := slices.Index(payload, 0); end >= 0 {
				payload = payload[:end]
			}
			a.texts[typ] = string(payload)
		case 3, 4:
			a.texts[typ] = string(payload)
		}
		at += (length + 3) / 4 * 4
	}
}

// slowWriter writes numbers one byte at a time.
type slowWriter struct{ b []byte }

func (w *slowWriter) number(v uint64, n int) {
	for i := range n {
		shift := 8 * i
		if native.BigEndian {
			shift = 8 * (n - 1 - i)
		}
		w.b = append(w.b, byte(v>>shift))
	}
}

func (w *slowWriter) align() {
	for len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *slowWriter) attribute(typ uint64, payload []byte) {
	w.number(uint64(4+len(payload)), 2)
	w.number(typ, 2)
	w.b = append(w.b, payload...)
	w.align()
}

// attributes writes the extended ACK in the order of netlink_ack_tlv_fill. It omits offsets
// outside a request of the given length.
func (w *slowWriter) attributes(a *slowAnswer, length int) {
	if s, ok := a.texts[1]; ok {
		w.attribute(1, append([]byte(s), 0))
	}
	if s, ok := a.texts[3]; ok {
		w.attribute(3, []byte(s))
	}
	if a.errno == 0 {
		return
	}
	number := func(typ int, below uint64) {
		if v := a.numbers[typ]; v != 0 && v < below { // the kernel sends no 0
			var p slowWriter
			p.number(v, 4)
			w.attribute(uint64(typ), p.b)
		}
	}
	number(2, uint64(length))
	if s, ok := a.texts[4]; ok {
		w.attribute(0x8004, []byte(s))
	}
	number(5, 1<<32)
	number(6, uint64(length))
}

// slowCompose writes an answer to the request like netlink_ack or netlink_dump_done; port is the
// port ID of its header.
func slowCompose(a *slowAnswer, request []byte, isDone, capAck, extAck bool, port uint64) []byte {
	typ, flags, echo := uint64(2), uint64(0), request
	if isDone {
		typ, flags, echo = 3, 2, nil
	} else if a.errno == 0 || capAck {
		flags, echo = 0x100, request[:16]
	}
	has := len(a.texts) - len(keys(a.texts, 4)) // the text and the cookie
	if a.errno != 0 {
		has = len(a.texts)
		for _, v := range a.numbers {
			if v != 0 {
				has++
			}
		}
	}
	if extAck && has > 0 {
		flags |= 0x200
	}
	var w slowWriter
	w.number(0, 4)
	w.number(typ, 2)
	w.number(flags, 2)
	w.number(bytesAt(request).number(8, 4), 4)
	w.number(port, 4)
	w.number(1<<32-a.errno, 4)
	w.b = append(w.b, echo...)
	w.align()
	if flags&0x200 != 0 {
		w.attributes(a, len(request))
	}
	var length slowWriter
	length.number(uint64(len(w.b)), 4)
	return append(length.b, w.b[4:]...)
}

// keys returns the wanted keys that are in m.
func keys(m map[int]string, wanted ...int) (found []int) {
	for _, k := range wanted {
		if _, ok := m[k]; ok {
			found = append(found, k)
		}
	}
	return found
}
