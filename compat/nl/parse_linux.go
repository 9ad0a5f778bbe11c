package nl

import (
	"encoding/binary"
	"log"
	"syscall"

	"github.com/nlwire/nlwire/nla"
	"golang.org/x/sys/unix"
)

// ParseRouteAttr returns the attributes in b. Their values alias b. A malformed attribute
// is EINVAL; up to three bytes after the last attribute are ignored.
func ParseRouteAttr(b []byte) ([]syscall.NetlinkRouteAttr, error) {
	n, err := countAttrs(b)
	if err != nil || n == 0 {
		return nil, err
	}
	attrs := make([]syscall.NetlinkRouteAttr, n)
	for i := range attrs {
		a, step := nla.Consume(b)
		attrs[i], b = routeAttr(a, b), b[step:]
	}
	return attrs, nil
}

// countAttrs counts the attributes of b, so that their memory is allocated once.
func countAttrs(b []byte) (n int, err error) {
	c := nla.Walk(b)
	for ; c.More(); c = c.Next() {
		n++
	}
	if err := c.Err(); err != nil && err != nla.ErrTruncated {
		return 0, unix.EINVAL
	}
	return n, nil
}

// routeAttr returns a, the first attribute of b, in the form of package syscall. The value
// is never nil and has the capacity of b, because some callers read four bytes of a value
// of one byte: the others are its padding.
func routeAttr(a nla.Attr, b []byte) syscall.NetlinkRouteAttr {
	return syscall.NetlinkRouteAttr{
		Attr:  syscall.RtAttr{Len: uint16(len(a)), Type: a.RawType()},
		Value: b[nla.HeaderLen:len(a)],
	}
}

// ParseRouteAttrAsMap works as [ParseRouteAttr], but returns the attributes by type,
// including flag bits. Of several attributes of a type, the map contains the last one.
func ParseRouteAttrAsMap(b []byte) (map[uint16]syscall.NetlinkRouteAttr, error) {
	n, err := countAttrs(b)
	if err != nil {
		return nil, err
	}
	attrs := make(map[uint16]syscall.NetlinkRouteAttr, n)
	for range n {
		a, step := nla.Consume(b)
		attrs[a.RawType()], b = routeAttr(a, b), b[step:]
	}
	return attrs, nil
}

// An Attribute is an element of the result of [ParseAttributes]. Type includes flag bits.
type Attribute struct {
	Type  uint16
	Value []byte
}

// ParseAttributes returns the attributes of data in a closed channel, which need not be
// read to its end. Their values alias data. ParseAttributes stops at a malformed attribute
// and logs it.
func ParseAttributes(data []byte) <-chan Attribute {
	n, err := countAttrs(data)
	c := nla.Walk(data)
	if err != nil {
		for ; c.More(); c = c.Next() {
			n++
		}
		log.Printf("nl: malformed attributes: %v", c.Err())
		c = nla.Walk(data)
	}
	attrs := make(chan Attribute, n)
	for ; c.More(); c = c.Next() {
		a := c.Attr()
		attrs <- Attribute{Type: a.RawType(), Value: a[nla.HeaderLen:]}
	}
	close(attrs)
	return attrs
}

// Uint32 returns the integer in the first four bytes of the value, or 0 if the value is
// shorter. Its byte order is that of Type: network byte order with [nla.NetByteOrder].
func (attr *Attribute) Uint32() uint32 {
	v, _ := nla.FieldUint(attr.Value, 0, 4, attr.order())
	return uint32(v)
}

// Uint64 returns the integer in the first eight bytes of the value, or 0 if the value is
// shorter. Its byte order is that of Type.
func (attr *Attribute) Uint64() uint64 {
	v, _ := nla.FieldUint(attr.Value, 0, 8, attr.order())
	return v
}

func (attr *Attribute) order() binary.ByteOrder {
	if attr.Type&nla.NetByteOrder != 0 {
		return binary.BigEndian
	}
	return binary.NativeEndian
}
