package input

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// The magic numbers of pcapng (draft-ietf-opsawg-pcapng).
const (
	magicNg    = 0x0a0d0d0a // type of a section header, equal in both byte orders
	magicOrder = 0x1a2b3c4d // byte-order magic of a section
)

// The block types with packets, and the limits on blocks.
const (
	ngInterface      = 1
	ngPacket         = 2
	ngSimplePacket   = 3
	ngEnhancedPacket = 6

	minBlock      = 12               // type, length, and length repeated
	maxBlock      = maxPacket + 4096 // a packet and its options
	maxInterfaces = 1024
)

// ngReader reads the blocks of a pcapng file.
type ngReader struct {
	packets
	order      binary.ByteOrder // of the section
	interfaces []ngIntf         // of the section
}

// ngIntf is an interface of a section: its link type, the units of its timestamps and
// their offset, and the maximum length of its packets.
type ngIntf struct {
	link   uint32
	snap   uint32
	unit   uint64 // per second
	offset int64  // in seconds
}

// pcapng yields the datagrams of a pcapng file.
func (r *Reader) pcapng(yield func(Datagram) bool) error {
	ng := ngReader{packets: packets{reader: r, yield: yield}}
	for {
		head, err := r.in.Peek(minBlock)
		if err == io.EOF && len(head) == 0 {
			return ng.end("pcapng")
		}
		if err != nil {
			return fmt.Errorf("pcapng: %w", explain(err))
		}
		more, err := ng.block(head)
		if err != nil {
			return fmt.Errorf("pcapng: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// block reads a block that begins with head. It reports whether to continue.
func (ng *ngReader) block(head []byte) (more bool, err error) {
	if binary.BigEndian.Uint32(head) == magicNg {
		if ng.order, err = sectionOrder(head[8:]); err != nil {
			return false, err
		}
		ng.interfaces = ng.interfaces[:0]
	}
	typ, size := ng.order.Uint32(head), ng.order.Uint32(head[4:])
	if size < minBlock || size%4 != 0 {
		return false, fmt.Errorf("invalid block length %d", size)
	}
	switch typ {
	case ngInterface, ngPacket, ngSimplePacket, ngEnhancedPacket:
	default:
		_, err = io.CopyN(io.Discard, ng.reader.in, int64(size))
		return err == nil, explainBlock(err)
	}
	if size > maxBlock {
		return false, fmt.Errorf("block length %d exceeds the limit of %d", size, maxBlock)
	}
	b, err := ng.take(ng.reader.in, int(size))
	if err != nil {
		return false, explainBlock(err)
	}
	body := b[8 : len(b)-4]
	if typ == ngInterface {
		return true, ng.addInterface(body)
	}
	return ng.packetBlock(typ, body)
}

func explainBlock(err error) error {
	if err = explain(err); err == ErrTruncated {
		return fmt.Errorf("truncated block: %w", err)
	}
	return err
}

func sectionOrder(b []byte) (binary.ByteOrder, error) {
	switch uint32(magicOrder) {
	case binary.LittleEndian.Uint32(b):
		return binary.LittleEndian, nil
	case binary.BigEndian.Uint32(b):
		return binary.BigEndian, nil
	}
	return nil, errors.New("section has no byte-order magic")
}

// The options of an interface.
const (
	optEnd        = 0
	optResolution = 9
	optOffset     = 14
)

// addInterface reads an interface description block.
func (ng *ngReader) addInterface(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("interface description of %d bytes, shorter than 8", len(b))
	}
	if len(ng.interfaces) == maxInterfaces {
		return fmt.Errorf("more than %d interfaces", maxInterfaces)
	}
	intf := ngIntf{link: uint32(ng.order.Uint16(b)), snap: ng.order.Uint32(b[4:]), unit: 1e6}
	for b = b[8:]; len(b) >= 4; {
		code, n := ng.order.Uint16(b), int(ng.order.Uint16(b[2:]))
		if code == optEnd || n > len(b)-4 {
			break
		}
		switch v := b[4 : 4+n]; {
		case code == optResolution && n == 1:
			intf.unit = resolution(v[0])
		case code == optOffset && n == 8:
			intf.offset = int64(ng.order.Uint64(v))
		}
		b = b[min(4+(n+3)&^3, len(b)):]
	}
	ng.interfaces = append(ng.interfaces, intf)
	return nil
}

// resolution returns the units per second of the option if_tsresol: a negative power of
// 10, or of 2 if the highest bit is set.
func resolution(v byte) uint64 {
	if v&0x80 != 0 {
		return 1 << min(v&0x7f, 63)
	}
	unit := uint64(1)
	for range min(v, 19) {
		unit *= 10
	}
	return unit
}

// packetBlock yields the datagram of a block with a packet.
func (ng *ngReader) packetBlock(typ uint32, b []byte) (more bool, err error) {
	head := 20
	if typ == ngSimplePacket {
		head = 4
	}
	if len(b) < head {
		return false, fmt.Errorf("packet %d: block of %d bytes, shorter than its header", ng.number+1, len(b))
	}
	index, captured, length := uint32(0), uint32(len(b)-head), ng.order.Uint32(b)
	switch typ {
	case ngPacket:
		index = uint32(ng.order.Uint16(b))
	case ngEnhancedPacket:
		index = ng.order.Uint32(b)
	}
	if typ != ngSimplePacket {
		captured, length = ng.order.Uint32(b[12:]), ng.order.Uint32(b[16:])
	}
	if uint64(index) >= uint64(len(ng.interfaces)) {
		return false, fmt.Errorf("packet %d: interface %d is not described", ng.number+1, index)
	}
	intf := ng.interfaces[index]
	if typ == ngSimplePacket { // the length is the least of three
		captured = min(captured, length)
		if intf.snap > 0 {
			captured = min(captured, intf.snap)
		}
	}
	if uint64(captured) > uint64(len(b)-head) {
		return false, fmt.Errorf("packet %d: %d bytes exceed the block", ng.number+1, captured)
	}
	var when time.Time
	if typ != ngSimplePacket {
		when = intf.time(uint64(ng.order.Uint32(b[4:]))<<32 | uint64(ng.order.Uint32(b[8:])))
	}
	return ng.packet(intf.link, when, b[head:head+int(captured)], int64(length)), nil
}

// time returns the time of a timestamp, the zero Time if it is out of range.
func (i *ngIntf) time(stamp uint64) time.Time {
	seconds, fraction := stamp/i.unit, stamp%i.unit
	if seconds > math.MaxInt32<<8 {
		return time.Time{}
	}
	nano := float64(fraction) / float64(i.unit) * 1e9
	if i.unit <= 1e9 && 1e9%i.unit == 0 {
		nano = float64(fraction * (1e9 / i.unit))
	}
	return time.Unix(int64(seconds)+i.offset, int64(nano))
}
