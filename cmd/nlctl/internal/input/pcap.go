package input

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// The magic numbers of pcap, in the byte order of the writer (draft-ietf-opsawg-pcap).
const (
	magicMicro    = 0xa1b2c3d4 // timestamps in microseconds
	magicNano     = 0xa1b23c4d // timestamps in nanoseconds
	magicModified = 0xa1b2cd34 // longer record headers, of a program of 1999
)

// isPcap reports whether a file begins with a magic number of pcap.
func isPcap(start []byte) bool {
	_, ok := pcapOrder(start)
	return ok
}

func pcapOrder(start []byte) (order binary.ByteOrder, ok bool) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(start) {
		case magicMicro, magicNano, magicModified:
			return order, true
		}
	}
	return nil, false
}

// maxPacket is the longest packet in a capture (MAXIMUM_SNAPLEN of libpcap).
const maxPacket = 256 << 10

// The sizes of the headers of a pcap file and of its records.
const (
	pcapFileLen   = 24
	pcapRecordLen = 16
)

// pcap yields the datagrams of a pcap file.
func (r *Reader) pcap(yield func(Datagram) bool) error {
	var head [pcapFileLen]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return fmt.Errorf("pcap: %w", explain(err))
	}
	order, _ := pcapOrder(head[:])
	magic := order.Uint32(head[:])
	if magic == magicModified {
		return fmt.Errorf("pcap: modified format (magic number %#x); convert the file with editcap -F pcap", uint32(magicModified))
	}
	link := order.Uint32(head[20:]) & 0x0fffffff // the upper bits are about the frame check sequence
	if linkLen(link) == 0 {
		return notNetlink("pcap", link)
	}
	unit := time.Microsecond
	if magic == magicNano {
		unit = time.Nanosecond
	}
	p := packets{reader: r, yield: yield}
	for {
		head, err := r.in.Peek(pcapRecordLen)
		if err == io.EOF && len(head) == 0 {
			return p.end("pcap")
		}
		if err != nil {
			return p.failed("pcap", explain(err))
		}
		seconds, fraction := order.Uint32(head), order.Uint32(head[4:])
		captured, length := order.Uint32(head[8:]), order.Uint32(head[12:])
		if captured > maxPacket {
			return p.failed("pcap", fmt.Errorf("packet of %d bytes, above the limit of %d", captured, maxPacket))
		}
		_, _ = r.in.Discard(pcapRecordLen) // peeked above
		b, err := p.take(r.in, int(captured))
		if err != nil {
			return p.failed("pcap", explain(err))
		}
		when := time.Unix(int64(seconds), int64(fraction)*int64(unit))
		if !p.packet(link, when, b, int64(length)) {
			return nil
		}
	}
}

func notNetlink(format string, link uint32) error {
	return fmt.Errorf("%s: link type is %d, not netlink (%d) or Linux cooked (%d, %d); capture from an nlmon device",
		format, link, linkNetlink, linkCooked, linkCooked2)
}

// packets yields the datagrams of packets.
type packets struct {
	reader *Reader
	yield  func(Datagram) bool
	buf    []byte
	number int    // of packets so far
	found  int    // datagrams among them
	other  uint32 // link type of a skipped packet
}

// take reads the next n bytes of the file. They are valid until the next call.
func (p *packets) take(in *bufio.Reader, n int) ([]byte, error) {
	if cap(p.buf) < n {
		p.buf = make([]byte, n, max(n, 4096))
	}
	_, err := io.ReadFull(in, p.buf[:n])
	return p.buf[:n], err
}

// packet yields the datagram of a packet that was length bytes long. It reports whether
// to continue.
func (p *packets) packet(link uint32, when time.Time, b []byte, length int64) bool {
	p.number++
	missing := int(max(0, min(length, 1<<31-1)-int64(len(b))))
	h, ok := parseLink(link, b)
	switch {
	case ok:
		p.found++
		return p.yield(Datagram{Time: when, Protocol: h.protocol, Data: b[h.size:], Missing: missing})
	case linkLen(link) > len(b):
		p.found++
		problem := fmt.Sprintf("packet %d has %d bytes, shorter than its link header (%d bytes)", p.number, len(b), linkLen(link))
		return p.yield(Datagram{Time: when, Protocol: unknownProtocol, Missing: missing, Problem: problem})
	}
	p.other = link
	p.reader.skipped++
	return true
}

// unknownProtocol is the protocol of a packet without a complete link header.
const unknownProtocol = -1

// failed adds the number of the packet that could not be read to its error.
func (p *packets) failed(format string, err error) error {
	return fmt.Errorf("%s: packet %d: %w", format, p.number+1, err)
}

// end returns an error if the file has only packets of other links.
func (p *packets) end(format string) error {
	switch {
	case p.found > 0 || p.reader.skipped == 0:
		return nil
	case linkLen(p.other) > 0:
		return fmt.Errorf("%s: the packets are of other devices than nlmon; capture from an nlmon device", format)
	}
	return notNetlink(format, p.other)
}
