package input

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// buffers returns the buffers of a call: bytes, or messages that strace decoded.
func buffers(call string, v traceValue) (all []traceValue) {
	switch call {
	case "sendmsg", "recvmsg":
		return vectors(v.member("msg_iov"))
	case "sendmmsg", "recvmmsg":
		for _, m := range v.elements {
			if head := m.member("msg_hdr"); head != nil {
				all = append(all, vectors(head.member("msg_iov"))...)
			}
		}
		return all
	case "writev", "readv":
		return vectors(&v)
	}
	return []traceValue{v}
}

// vectors returns the buffers of an array of struct iovec.
func vectors(v *traceValue) (all []traceValue) {
	if v == nil {
		return nil
	}
	for _, e := range v.elements {
		if base := e.member("iov_base"); base != nil {
			all = append(all, *base)
		}
	}
	return all
}

// hasMessages reports whether strace decoded the buffer as netlink messages.
func (v *traceValue) hasMessages() bool {
	for ; v.kind == '[' && len(v.elements) > 0; v = &v.elements[0] {
	}
	return v.member("nlmsg_len") != nil
}

// buffer returns the datagram in a buffer. The result of the call limits its length.
func (s *strace) buffer(protocol socket.Protocol, v traceValue, result int) (d Datagram, ok bool, err error) {
	d.Protocol = protocol
	switch {
	case v.kind == '"':
		d.Data = v.bytes
		if v.isCut {
			d.Missing = max(0, result-len(v.bytes))
			d.Problem = fmt.Sprintf("strace left out the last %d bytes; use strace -s 65536", d.Missing)
		}
		return d, len(d.Data) > 0, nil
	case !v.hasMessages():
		return d, false, nil // NULL, an address, or another kind of buffer
	}
	messages := v.elements
	if messages[0].kind == '{' { // a single message is not in a list
		messages = []traceValue{v}
	}
	for _, m := range messages {
		if d.Missing > 0 {
			break
		}
		err := appendDecoded(&d, m)
		var unknown unknownName
		if errors.As(err, &unknown) { // a dump of the bytes may follow
			d.Missing = max(result-len(d.Data), 1)
			d.Problem = fmt.Sprintf("strace printed the name %s instead of a number; use strace -e read=all -e write=all", shorten(string(unknown)))
			break
		}
		if err != nil {
			return d, false, err
		}
	}
	return d, true, nil
}

// appendDecoded appends a message that strace decoded: the header with its names, and a
// payload that must consist of bytes.
func appendDecoded(d *Datagram, m traceValue) error {
	if len(m.elements) == 0 || m.elements[0].member("nlmsg_len") == nil {
		return errors.New("message without a header")
	}
	head, err := appendHeader(nil, d.Protocol, &m.elements[0])
	if err != nil {
		return err
	}
	size := int(binary.NativeEndian.Uint32(head))
	payload, isWhole := payloadBytes(m.elements[1:], size-nlmsg.HeaderLen)
	d.Data = append(d.Data, head...)
	d.Data = append(d.Data, payload...)
	if !isWhole {
		d.Missing = max(size-nlmsg.HeaderLen-len(payload), 1)
		d.Problem = fmt.Sprintf("strace decoded the other %d bytes, and did not print them; use strace -e read=all -e write=all", d.Missing)
		return nil
	}
	for len(d.Data)%4 != 0 && size > 0 {
		d.Data = append(d.Data, 0)
	}
	return nil
}

// payloadBytes returns the payload of a message if strace printed all its bytes.
func payloadBytes(parts []traceValue, size int) (b []byte, isWhole bool) {
	for _, p := range parts {
		if p.kind != '"' || p.isCut {
			return b, false
		}
		b = append(b, p.bytes...)
	}
	return b, len(b) == size
}

// appendHeader appends struct nlmsghdr.
func appendHeader(b []byte, protocol socket.Protocol, v *traceValue) ([]byte, error) {
	fields := [5]int64{}
	for i, name := range []string{"nlmsg_len", "nlmsg_type", "nlmsg_flags", "nlmsg_seq", "nlmsg_pid"} {
		m := v.member(name)
		if m == nil {
			return nil, fmt.Errorf("message header without %s", name)
		}
		names := flagBits.find
		if name == "nlmsg_type" {
			names = typeNames(protocol)
		}
		n, err := m.number(names)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fields[i] = n
	}
	if fields[0] < nlmsg.HeaderLen || fields[0] > MaxPlain {
		return nil, fmt.Errorf("nlmsg_len is %d", fields[0])
	}
	ne := binary.NativeEndian
	b = ne.AppendUint32(b, uint32(fields[0]))
	b = ne.AppendUint16(b, uint16(fields[1]))
	b = ne.AppendUint16(b, uint16(fields[2]))
	b = ne.AppendUint32(b, uint32(fields[3]))
	return ne.AppendUint32(b, uint32(fields[4])), nil
}
