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

// A datagram is one of a file.
type datagram struct {
	time     time.Time // when it was captured; zero where that is not told
	protocol socket.Protocol
	b        []byte
	missing  int // bytes that were not captured
}

// when returns the time in the form of RFC 3339, if it has one.
func (g *datagram) when() string {
	t := g.time.UTC()
	if g.time.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// The kinds of file, by their first bytes (draft-ietf-opsawg-pcap and -pcapng).
const (
	magicNg    = 0x0a0d0d0a // pcapng, in any byte order; its magicOrder tells that
	magicOrder = 0x1a2b3c4d
)

// magicPcap are those of pcap, in the byte order of who wrote it: with microseconds,
// with nanoseconds, and a modified one that pcapgo refuses.
var magicPcap = []uint32{0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34}

// magicGzip is that of gzip with its only method. As the length of a message it is of
// 559,000 bytes and more, of which nobody keeps files.
var magicGzip = []byte{0x1f, 0x8b, 8}

// maxPlain is the largest file that is no capture: it is read at once, and more than a
// datagram can have.
const maxPlain = 8 << 20

// datagrams ranges over those of a file: a capture of tcpdump or Wireshark, hex, or
// the bytes of one datagram. In the last two they are of that protocol. The bytes
// are good until the next one. An error comes last.
func datagrams(r io.Reader, protocol socket.Protocol) iter.Seq2[datagram, error] {
	in := bufio.NewReader(r)
	start, err := in.Peek(12)
	switch {
	case err != nil && err != io.EOF:
		return failing(err)
	case len(start) == 0:
		return failing(errors.New("the file is empty"))
	case len(start) < 12: // no capture
	case binary.BigEndian.Uint32(start) == magicNg:
		return captureNg(in)
	case slices.Contains(magicPcap, binary.NativeEndian.Uint32(start)):
		return capture(in)
	case slices.Contains(magicPcap, bits.ReverseBytes32(binary.NativeEndian.Uint32(start))):
		return failing(errOrder)
	case bytes.HasPrefix(start, magicGzip):
		return failing(errors.New("the file is compressed: unpack it with gunzip"))
	}
	return plain(in, protocol)
}

func failing(err error) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) { yield(datagram{}, err) }
}

// errOrder: a capture is in the byte order of the machine that made it, and says so.
// Netlink is too, and does not.
var errOrder = errors.New("a machine of the other byte order made this capture, and netlink has that of its machine: decode it on one like that")

// linkNetlink is the link type of netlink (LINKTYPE_NETLINK).
const linkNetlink layers.LinkType = 253

// capture ranges over a pcap file.
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
		file.SetSnaplen(maxPacket) // whatever the file says
		packets(file.ZeroCopyReadPacketData, yield)
	}
}

// maxPacket is the longest packet in a capture (MAXIMUM_SNAPLEN of libpcap). pcapgo
// takes no shorter limit.
const maxPacket = 256 << 10

// captureNg ranges over a pcapng file.
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
	return fmt.Errorf("captured from a link of type %d, not of netlink (%d): capture from an nlmon device", link, linkNetlink)
}

// cookedLen is what stands in front of a datagram: struct sockaddr_ll in part, with
// the protocol in the last two bytes, all of it in network byte order.
const cookedLen = 16

// packets hands on what read returns, to the end of the file. Packets of other links,
// which pcapng may have beside those of netlink, are passed over.
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
			err = io.ErrUnexpectedEOF // the header of a packet without its bytes
		}
		if len(ci.AncillaryData) > 0 && ci.AncillaryData[0] != linkNetlink && err == nil {
			other = notNetlink(ci.AncillaryData[0].(layers.LinkType))
			continue
		}
		if err == nil && len(b) < cookedLen {
			err = fmt.Errorf("it has %d bytes, fewer than the %d of the header of a netlink packet", len(b), cookedLen)
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

// plain ranges over a file of hex, or of one datagram.
func plain(r io.Reader, protocol socket.Protocol) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) {
		b, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
		if err == nil && len(b) > maxPlain {
			err = fmt.Errorf("the file is no capture, and longer than %d MiB", maxPlain>>20)
		}
		if err != nil {
			yield(datagram{}, err)
			return
		}
		all := [][]byte{b}
		// No datagram is without a byte 0, as text is: the highest of its length is
		// one, since that is below maxPlain.
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

// fromHex reads datagrams written as hex: lines join, an empty one ends a datagram,
// what follows a # is a comment. It returns those in front of an error.
func fromHex(text []byte) (all [][]byte, err error) {
	var digits []byte
	number := 0
	end := func() error {
		if len(digits)%2 != 0 {
			return fmt.Errorf("line %d: a datagram of %d hex digits, which is half a byte too much", number, len(digits))
		}
		if len(digits) > 0 {
			b, _ := hex.AppendDecode(nil, digits) // they are digits
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
				return all, fmt.Errorf("line %d: %q is no hex digit: a file that is text must be datagrams in hex, as xxd -p prints them", number, c)
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
