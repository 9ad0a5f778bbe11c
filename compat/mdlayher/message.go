package netlink

import (
	"encoding/binary"
	"iter"

	"github.com/nlwire/nlwire/nlmsg"
)

// A Message is a header and a payload, which most families fill with attributes: see
// [AttributeDecoder] and [AttributeEncoder].
type Message struct {
	Header Header
	Data   []byte
}

// MarshalBinary returns the bytes of the message. Header.Length must be set, and be a
// multiple of 4; what Data lacks for it is zero, and what Data has above it is left out.
func (m Message) MarshalBinary() ([]byte, error) {
	if err := m.checkLength(); err != nil {
		return nil, err
	}
	return m.append(make([]byte, 0, m.Header.Length)), nil
}

// checkLength is the error of a message that cannot be encoded.
func (m *Message) checkLength() error {
	if n := int64(m.Header.Length); n < nlmsgHeaderLen || n%nlmsg.AlignTo != 0 || n > nlmsg.MaxLen {
		return errIncorrectMessageLength
	}
	return nil
}

// append appends the bytes of a message whose length has been checked.
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

// UnmarshalBinary reads the message at the front of b, whose length must be a multiple of
// 4. Data aliases b.
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

// set makes m the message of a view. Data is never nil, and has no room for an append.
func (m *Message) set(view nlmsg.Msg) {
	h := view.Header()
	m.Header = Header{h.Len, HeaderType(h.Type), HeaderFlags(h.Flags), h.Seq, h.PortID}
	m.Data = view[nlmsgHeaderLen:len(view):len(view)]
}

// nextMessage returns the view at the front of a datagram and the rest. At the end, which
// may be up to 15 bytes that are ignored, the view is nil.
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

// parseMessagesIter ranges over the messages of a datagram. They alias it. An error ends
// it.
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
