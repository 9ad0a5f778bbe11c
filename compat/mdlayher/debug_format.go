package netlink

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"github.com/nlwire/nlwire/nla"
)

// The format is that of libmnl's mnl_nlmsg_fprintf. The original's tests compare it.
const (
	debugRule  = "----------------\t------------------\n"
	debugBytes = "| %.2x %.2x %.2x %.2x  |\t"
)

// pick returns yes or no.
func pick(isYes bool, yes, no string) string {
	if isYes {
		return yes
	}
	return no
}

// nlmsgFprintfHeader writes the header of a message.
func nlmsgFprintfHeader(w io.Writer, h Header) {
	fmt.Fprint(w, debugRule)
	fmt.Fprintf(w, "|  %010d  |\t| message length |\n", h.Length)
	fmt.Fprintf(w, "| %05d | %s%s%s%s |\t|  type | flags  |\n", uint16(h.Type),
		pick(h.Flags&Request != 0, "R", "-"), pick(h.Flags&Multi != 0, "M", "-"),
		pick(h.Flags&Acknowledge != 0, "A", "-"), pick(h.Flags&Echo != 0, "E", "-"))
	fmt.Fprintf(w, "|  %010d  |\t| sequence number|\n", h.Sequence)
	fmt.Fprintf(w, "|  %010d  |\t|     port ID    |\n", h.PID)
	fmt.Fprint(w, debugRule)
}

// nlmsgFprintf writes a message: its header, the first four bytes of the payload (the fixed header of
// many families) and the attributes.
func nlmsgFprintf(w io.Writer, m Message, colorize bool) {
	nlmsgFprintfHeader(w, m.Header)
	if len(m.Data) < 4 {
		return
	}
	if head := m.Data[:4]; binary.NativeEndian.Uint32(head) != 0 {
		fmt.Fprintf(w, debugBytes+"|  extra header  |\n", head[0], head[1], head[2], head[3])
	}
	tlvs, isWhole := extendedAck(m)
	if !isWhole {
		return
	}
	for len(tlvs) >= nlaHeaderLen {
		tlvs = fprintfAttribute(w, tlvs, colorize)
	}
	fmt.Fprint(w, debugRule)
}

// fprintfAttribute writes the first attribute of b. It returns the bytes that follow: for a nest its
// payload, otherwise the next attribute.
func fprintfAttribute(w io.Writer, b []byte, colorize bool) []byte {
	length, typ := int(ne.Uint16(b)), ne.Uint16(b[2:])
	format := "|%05d|%s%s|%05d|\t"
	if colorize {
		format = "|\033[1;31m%05d|\033[1;32m%s%s|\033[1;34m%05d\033[0m|\t"
	}
	fmt.Fprintf(w, format+"|len |flags| type|\n", length,
		pick(typ&Nested != 0, "N", "-"), pick(typ&NetByteOrder != 0, "B", "-"), typ&attrTypeMask)
	end := min(nla.Align(max(length, nlaHeaderLen)), len(b))
	if typ&Nested != 0 {
		end = nlaHeaderLen
	}
	for i := nlaHeaderLen; i < end; i += 4 {
		var p [4]byte
		copy(p[:], b[i:end])
		fmt.Fprintf(w, debugBytes+"|      data      |\t %s %s %s %s\n", p[0], p[1], p[2], p[3],
			printable(p[0]), printable(p[1]), printable(p[2]), printable(p[3]))
	}
	return b[end:]
}

// printable returns b as a character if it is printable, and otherwise a space.
func printable(b byte) string { return pick(strconv.IsPrint(rune(b)), string(rune(b)), " ") }
