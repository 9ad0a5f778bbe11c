package netlink

import (
	"encoding/binary"
	"iter"

	"github.com/nlwire/nlwire/nlmsg"
)

// A Message is a header and a payload. For most families the payload contains attributes: see
// [AttributeDecoder] and [AttributeEncoder].
type Message struct {
	Header Header
	Data   []byte
}

// MarshalBinary encodes the message. Header.Length must be set to a multiple of 4. Data is padded with
// zeros, or cut, to that length.
func (m Message) MarshalBinary() ([]byte, error) {
	if err := m.checkLength(); err != nil {
		return nil, err
	}
	return m.append(make([]byte, 0, m.Header.Length)), nil
}

// checkLength returns an error if Header.Length is invalid.
func (m *Message) checkLength() error {
	if n := int64(m.Header.Length); n < nlmsgHeaderLen || n%nlmsg.AlignTo != 0 || n > nlmsg.MaxLen {
		return errIncorrectMessageLength
	}
	return nil
}

// append appends the encoded message to b. The caller has checked the length.
func (m *Message) append(b []byte) []byte {
	h, start := &m.Header, len(b)
	b = nlmsg.Begin(b, nlmsg.Type(h.Type), nlmsg.Flags(h.Flags), h.Sequence, h.PID)
	room := int(h.Length) - nlmsgHeaderLen
	b = append(b, m.Data[:min(len(m.Data), room)]...)
	if zeros := room - len(m.Data); zeros > 0 {
		b = append(b, make([]byte, zeros)...)
	}
	return nlmsg.End(b, start)
}

// UnmarshalBinary decodes the first message in b. The length of b must be a multiple of 4. Data is a
// view of b.
func (m *Message) UnmarshalBinary(b []byte) error {
	switch {
	case len(b) < nlmsgHeaderLen:
		return errShortMessage
	case len(b)%nlmsg.AlignTo != 0:
		return errUnalignedMessage
	}
	view, n := nlmsg.Consume(b)
	if n < 0 {
		return errShortMessage
	}
	m.set(view)
	return nil
}

// set decodes view into m. Data is never nil and has no spare capacity.
func (m *Message) set(view nlmsg.Msg) {
	h := view.Header()
	m.Header = Header{h.Len, HeaderType(h.Type), HeaderFlags(h.Flags), h.Seq, h.PortID}
	m.Data = view[nlmsgHeaderLen:len(view):len(view)]
}

// nextMessage returns the first message of a datagram and the bytes after it. At the end view is nil.
// Up to 15 bytes at the end are ignored.
func nextMessage(b []byte) (view nlmsg.Msg, rest []byte, err error) {
	if len(b) < nlmsgHeaderLen {
		return nil, nil, nil
	}
	view, n := nlmsg.Consume(b)
	switch {
	case n < 0 && binary.NativeEndian.Uint32(b) < nlmsgHeaderLen:
		return nil, nil, errIncorrectMessageLength
	case n < 0 || n%nlmsg.AlignTo != 0:
		return nil, nil, errShortMessage
	}
	return view, b[n:], nil
}

// parseMessagesIter iterates over the messages of a datagram. The messages are views of b. An error
// ends the iteration.
func parseMessagesIter(b []byte) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			view, rest, err := nextMessage(b)
			if err != nil {
				yield(Message{}, err)
				return
			}
			if view == nil {
				return
			}
			var m Message
			m.set(view)
			if !yield(m, nil) {
				return
			}
			b = rest
		}
	}
}
