package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/nlwire/nlwire/socket"
)

// datagram is a datagram of a file.
type datagram struct {
	time     time.Time // of the capture; zero if unknown
	protocol socket.Protocol
	b        []byte
	missing  int // bytes that were not captured
}

// when returns the time in the format of RFC 3339, or "" if it is unknown or out of range.
func (g *datagram) when() string {
	t := g.time.UTC()
	if g.time.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// The magic numbers of pcapng (draft-ietf-opsawg-pcapng).
const (
	magicNg    = 0x0a0d0d0a // type of a section header, equal in both byte orders
	magicOrder = 0x1a2b3c4d // byte-order magic of a section
)

// magicPcap are the magic numbers of pcap in the byte order of the writer: with
// microseconds, with nanoseconds, and a modified format that pcapgo rejects
// (draft-ietf-opsawg-pcap).
var magicPcap = []uint32{0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34}

// magicGzip is the magic number of gzip with its only method. As the length of a netlink
// message it would mean 559,000 bytes or more, which is implausible for a file.
var magicGzip = []byte{0x1f, 0x8b, 8}

// maxPlain limits the size of a file that is not a capture. Such a file is read into
// memory. The limit is above the size of any datagram.
const maxPlain = 8 << 20

// datagrams iterates over the datagrams of a file: a capture of tcpdump or Wireshark, hex,
// or the bytes of one datagram. In the last two cases the datagrams get the given protocol.
// The bytes are valid until the next iteration. An error comes last.
func datagrams(r io.Reader, protocol socket.Protocol) iter.Seq2[datagram, error] {
	in := bufio.NewReader(r)
	start, err := in.Peek(12)
	switch {
	case err != nil && err != io.EOF:
		return failing(err)
	case len(start) == 0:
		return failing(errors.New("the file is empty"))
	case len(start) < 12: // too short for a capture
	case binary.BigEndian.Uint32(start) == magicNg:
		return captureNg(in)
	case slices.Contains(magicPcap, binary.NativeEndian.Uint32(start)):
		return capture(in)
	case slices.Contains(magicPcap, bits.ReverseBytes32(binary.NativeEndian.Uint32(start))):
		return failing(errOrder)
	case bytes.HasPrefix(start, magicGzip):
		return failing(errors.New("the file is compressed; unpack it with gunzip"))
	}
	return plain(in, protocol)
}

func failing(err error) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) { yield(datagram{}, err) }
}

// errOrder: a capture file declares its byte order. The netlink messages inside have the
// byte order of the host that made the capture, and do not declare it.
var errOrder = errors.New("capture has the other byte order; decode it on a host of that order")

// linkNetlink is the link type of netlink (LINKTYPE_NETLINK).
const linkNetlink layers.LinkType = 253

// capture iterates over the datagrams of a pcap file.
func capture(r io.Reader) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) {
		file, err := pcapgo.NewReader(r)
		if err == nil && file.LinkType() != linkNetlink {
			err = notNetlink(file.LinkType())
		}
		if err != nil {
			yield(datagram{}, fmt.Errorf("pcap: %w", err))
			return
		}
		file.SetSnaplen(maxPacket) // replaces the limit in the file
		packets(file.ZeroCopyReadPacketData, yield)
	}
}

// maxPacket is the longest packet in a capture (MAXIMUM_SNAPLEN of libpcap), and the
// smallest limit that pcapgo accepts.
const maxPacket = 256 << 10

// captureNg iterates over the datagrams of a pcapng file.
func captureNg(r *bufio.Reader) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) {
		file, err := pcapgo.NewNgReader(&ngBlocks{in: r}, pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			yield(datagram{}, fmt.Errorf("pcapng: %w", err))
			return
		}
		packets(file.ZeroCopyReadPacketData, yield)
	}
}

func notNetlink(link layers.LinkType) error {
	return fmt.Errorf("link type is %d, not netlink (%d); capture from an nlmon device", link, linkNetlink)
}

// cookedLen is the size of the header before a datagram: a part of struct sockaddr_ll in
// network byte order, with the protocol in the last two bytes.
const cookedLen = 16

// packets yields the datagrams of the packets that read returns, up to the end of the file.
// It skips packets of other links, which a pcapng file may also contain.
func packets(read func() ([]byte, gopacket.CaptureInfo, error), yield func(datagram, error) bool) {
	var other error
	found := false
	for number := 1; ; number++ {
		b, ci, err := read()
		if err == io.EOF && b == nil {
			if !found && other != nil {
				yield(datagram{}, other)
			}
			return
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the file ends between a packet's header and its bytes
		}
		if len(ci.AncillaryData) > 0 && ci.AncillaryData[0] != linkNetlink && err == nil {
			other = notNetlink(ci.AncillaryData[0].(layers.LinkType))
			continue
		}
		if err == nil && len(b) < cookedLen {
			err = fmt.Errorf("%d bytes, shorter than the header of a netlink packet (%d bytes)", len(b), cookedLen)
		}
		if err != nil {
			yield(datagram{}, fmt.Errorf("packet %d: %w", number, err))
			return
		}
		protocol := binary.BigEndian.Uint16(b[cookedLen-2:])
		if !yield(datagram{ci.Timestamp, socket.Protocol(protocol), b[cookedLen:], max(0, ci.Length-ci.CaptureLength)}, nil) {
			return
		}
		found = true
	}
}

// plain iterates over the datagrams of a file of hex, or yields the file as one datagram.
func plain(r io.Reader, protocol socket.Protocol) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) {
		b, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
		if err == nil && len(b) > maxPlain {
			err = fmt.Errorf("the file is not a capture, and longer than %d MiB", maxPlain>>20)
		}
		if err != nil {
			yield(datagram{}, err)
			return
		}
		all := [][]byte{b}
		// Text contains no byte 0, while every datagram contains one: the highest byte of
		// its length is 0, because the length is at most maxPlain.
		if bytes.IndexByte(b, 0) < 0 {
			all, err = fromHex(b)
		}
		for _, b := range all {
			if !yield(datagram{protocol: protocol, b: b}, nil) {
				return
			}
		}
		if err != nil {
			yield(datagram{}, err)
		}
	}
}

// fromHex reads datagrams in hex: lines are joined, an empty line ends a datagram, and #
// begins a comment. With an error it returns the preceding datagrams.
func fromHex(text []byte) (all [][]byte, err error) {
	var digits []byte
	number := 0
	end := func() error {
		if len(digits)%2 != 0 {
			return fmt.Errorf("line %d: datagram has an odd number of hex digits (%d)", number, len(digits))
		}
		if len(digits) > 0 {
			b, _ := hex.AppendDecode(nil, digits) // digits contains only hex digits
			all, digits = append(all, b), digits[:0]
		}
		return nil
	}
	for line := range bytes.Lines(text) {
		number++
		line, _, isComment := bytes.Cut(line, []byte("#"))
		before := len(digits)
		for _, c := range line {
			switch {
			case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
				digits = append(digits, c)
			case !strings.ContainsRune(" \t\r\n:", rune(c)):
				return all, fmt.Errorf("line %d: %q is not a hex digit; a text file must contain datagrams in hex, as printed by xxd -p", number, c)
			}
		}
		if len(digits) > before || isComment {
			continue
		}
		if err := end(); err != nil {
			return all, err
		}
	}
	return all, end()
}
