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
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// A datagram is one of a file.
type datagram struct {
	time     time.Time // when it was captured; zero where that is not told
	protocol int
	b        []byte
	missing  int // bytes that were not captured
}

// The kinds of file, by their first bytes (draft-ietf-opsawg-pcap and -pcapng).
const (
	magicMicro = 0xa1b2c3d4 // pcap, in the byte order of who wrote it
	magicNano  = 0xa1b23c4d
	magicNg    = 0x0a0d0d0a // pcapng, in any byte order; its magicOrder tells that
	magicOrder = 0x1a2b3c4d
	magicGzip  = 0x1f8b
)

// maxPlain is the largest file that is no capture: it is read at once, and more than a
// datagram can have.
const maxPlain = 8 << 20

// datagrams ranges over those of a file: a capture of tcpdump or Wireshark, hex, or
// the bytes of one datagram. In the last two they are of that protocol. The bytes
// are good until the next one. An error comes last.
func datagrams(r io.Reader, protocol int) iter.Seq2[datagram, error] {
	in := bufio.NewReader(r)
	start, err := in.Peek(12)
	switch {
	case err != nil && err != io.EOF:
		return failing(err)
	case len(start) == 0:
		return failing(errors.New("the file is empty"))
	case len(start) < 12: // no capture
	case binary.BigEndian.Uint32(start) == magicNg:
		return ordered(start[8:], captureNg(in), magicOrder)
	case isAny(start, magicMicro, magicNano):
		return ordered(start, capture(in), magicMicro, magicNano)
	case binary.BigEndian.Uint16(start) == magicGzip:
		return failing(errors.New("the file is compressed: unpack it with gunzip"))
	}
	return plain(in, protocol)
}

func failing(err error) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) { yield(datagram{}, err) }
}

// isAny reports whether one of the numbers stands there, in any byte order.
func isAny(b []byte, numbers ...uint32) bool {
	for _, n := range numbers {
		if binary.LittleEndian.Uint32(b) == n || binary.BigEndian.Uint32(b) == n {
			return true
		}
	}
	return false
}

// ordered returns all if one of the numbers stands there in the byte order of this
// machine. A capture is in that of the machine that made it, as netlink is, and says
// so; netlink does not.
func ordered(b []byte, all iter.Seq2[datagram, error], numbers ...uint32) iter.Seq2[datagram, error] {
	for _, n := range numbers {
		if binary.NativeEndian.Uint32(b) == n {
			return all
		}
	}
	return failing(errors.New("a machine of the other byte order made this capture, and netlink has that of its machine: decode it on one like that"))
}

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
		file.SetSnaplen(0) // then a packet is limited to 256 KiB, whatever the file says
		packets(file.ZeroCopyReadPacketData, yield)
	}
}

// captureNg ranges over a pcapng file. It may have packets of other interfaces, which
// are passed over.
func captureNg(r io.Reader) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) {
		file, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			yield(datagram{}, fmt.Errorf("pcapng: %w", err))
			return
		}
		var other error
		found := false
		packets(func() (b []byte, ci gopacket.CaptureInfo, err error) {
			for {
				b, ci, err = file.ZeroCopyReadPacketData()
				if err == io.EOF && !found && other != nil {
					return nil, ci, other
				}
				if err != nil {
					return nil, ci, err
				}
				if link, ok := ci.AncillaryData[0].(layers.LinkType); ok && link != linkNetlink {
					other = notNetlink(link)
					continue
				}
				found = true
				return b, ci, nil
			}
		}, yield)
	}
}

func notNetlink(link layers.LinkType) error {
	return fmt.Errorf("captured from a link of type %d, not of netlink (%d): capture from an nlmon device", link, linkNetlink)
}

// cookedLen is what stands in front of a datagram: struct sockaddr_ll in part, with
// the protocol in the last two bytes, all of it in network byte order.
const cookedLen = 16

// packets hands on what read returns, to the end of the file.
func packets(read func() ([]byte, gopacket.CaptureInfo, error), yield func(datagram, error) bool) {
	for number := 1; ; number++ {
		b, ci, err := read()
		if err == io.EOF && b == nil {
			return
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the header of a packet without its bytes
		}
		if err == nil && len(b) < cookedLen {
			err = fmt.Errorf("it has %d bytes, fewer than the %d of the header of a netlink packet", len(b), cookedLen)
		}
		if err != nil {
			yield(datagram{}, fmt.Errorf("packet %d: %w", number, err))
			return
		}
		protocol := binary.BigEndian.Uint16(b[cookedLen-2:])
		if !yield(datagram{ci.Timestamp, int(protocol), b[cookedLen:], max(0, ci.Length-ci.CaptureLength)}, nil) {
			return
		}
	}
}

// plain ranges over a file of hex, or of one datagram.
func plain(r io.Reader, protocol int) iter.Seq2[datagram, error] {
	return func(yield func(datagram, error) bool) {
		b, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
		if err == nil && len(b) > maxPlain {
			err = fmt.Errorf("the file is no capture, and longer than %d MiB", maxPlain>>20)
		}
		if err != nil {
			yield(datagram{}, err)
			return
		}
		all, ok := fromHex(b)
		if !ok {
			all = [][]byte{b}
		}
		for _, b := range all {
			if !yield(datagram{protocol: protocol, b: b}, nil) {
				return
			}
		}
	}
}

// fromHex reads datagrams written as hex: lines join, an empty one ends a datagram,
// what follows a # is a comment. No file of a datagram is that: the highest byte of
// its length is 0, since it is below maxPlain.
func fromHex(text []byte) (all [][]byte, ok bool) {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, false
	}
	var digits []byte
	for line := range bytes.Lines(append(bytes.Clone(text), "\n\n"...)) {
		line, _, isComment := bytes.Cut(line, []byte("#"))
		line = bytes.Join(bytes.Fields(bytes.ReplaceAll(line, []byte(":"), nil)), nil)
		digits = append(digits, line...)
		if len(line) > 0 || isComment || len(digits) == 0 {
			continue
		}
		b, err := hex.AppendDecode(nil, digits)
		if err != nil {
			return nil, false
		}
		all, digits = append(all, b), digits[:0]
	}
	return all, len(all) > 0
}
