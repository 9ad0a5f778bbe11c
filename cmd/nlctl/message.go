package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/internal/policywire"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// message is the JSON of a message in a file, one per line. Fields that its type does not
// have are omitted. The malformed or missing rest of a datagram is a message with an error.
type message struct {
	Datagram int    `json:"datagram"` // from 1
	Time     string `json:"time,omitempty"`
	Protocol string `json:"protocol"`
	Offset   int    `json:"offset"` // in the datagram
	Length   int    `json:"length"`

	*Envelope
	Generic *reply  `json:"generic,omitempty"`
	Body    *Body   `json:"body,omitempty"` // of rtnetlink and netfilter messages
	Answer  *answer `json:"answer,omitempty"`
	Payload string  `json:"payload,omitempty"` // in hex, the part without a decoder
	Text    string  `json:"text,omitempty"`    // the payload as text
	Error   string  `json:"error,omitempty"`
}

// Envelope is the header of a message. Name is the name of its type: the family's name, or
// the name of the rtnetlink type.
type Envelope struct {
	Type  uint16   `json:"type"`
	Name  string   `json:"name"`
	Flags []string `json:"flags"`
	Seq   uint32   `json:"seq"`
	Port  uint32   `json:"port"`
}

func newEnvelope(protocol socket.Protocol, m nlmsg.Msg) *Envelope {
	e := &Envelope{uint16(m.Type()), m.Type().String(), []string{}, m.Seq(), m.PortID()}
	if f := m.Flags(); f != 0 {
		e.Flags = strings.Split(f.Names(flagsKind(protocol, m.Type(), f)), "|")
	}
	return e
}

// answer is the content of an Error or Done message.
type answer struct {
	Errno   errno.Errno `json:"errno"`
	Text    string      `json:"text,omitempty"`    // of the errno
	Message string      `json:"message,omitempty"` // text of the extended ACK
	Offset  *uint32     `json:"offset,omitempty"`  // of the invalid attribute in the request
	Policy  string      `json:"policy,omitempty"`  // the policy of that attribute
	Missing *uint32     `json:"missing,omitempty"` // type of the missing attribute
	Nest    *uint32     `json:"nest,omitempty"`    // offset of the nest that lacks it
	Cookie  string      `json:"cookie,omitempty"`
	Request string      `json:"request,omitempty"` // the part of the request that the answer contains
	Error   string      `json:"error,omitempty"`   // why the answer is malformed
}

// newAnswer reads a message of type Error or Done. rest is its remaining payload in hex. A
// Done with a positive number contains data of the protocol instead of an errno, and is not
// an answer.
func newAnswer(m nlmsg.Msg) (out *answer, rest string) {
	parse := nlmsg.ParseAck
	if p := m.Payload(); m.Type() == nlmsg.TypeDone {
		parse = nlmsg.ParseDone
		if len(p) >= errnoLen && int32(binary.NativeEndian.Uint32(p)) > 0 {
			return nil, hex.EncodeToString(p)
		}
	}
	a, err := parse(m)
	out = &answer{Errno: a.Errno, Message: string(a.Msg), Cookie: hex.EncodeToString(a.Cookie), Request: hex.EncodeToString(a.Request)}
	if a.Errno.Name() != "" {
		out.Text = a.Errno.Error()
	}
	if a.Policy != nil {
		out.Policy = policyText(a.Policy)
	}
	if a.Offset != 0 {
		out.Offset = &a.Offset
	}
	if a.MissType != 0 {
		out.Missing = &a.MissType
	}
	if a.MissNest != 0 {
		out.Nest = &a.MissNest
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out, hex.EncodeToString(unread(m, &a, err))
}

func policyText(p []byte) string {
	rule, _, err := policywire.ParseRule(p)
	if err != nil {
		return "malformed: " + hex.EncodeToString(p)
	}
	return rule.String()
}

// errnoLen is the length of the errno in an answer.
const errnoLen = 4

// unread returns the payload of an answer after the errno, the request and the extended
// ACK. Usually it is empty. If the answer is malformed, unread returns everything after the
// errno.
func unread(m nlmsg.Msg, a *nlmsg.ExtAck, err error) []byte {
	p := m.Payload()
	switch {
	case len(p) < errnoLen:
		return p
	case err != nil:
		return p[errnoLen:]
	case m.Flags()&nlmsg.FlagAckTLVs != 0:
		return nil
	}
	return p[min(len(p), errnoLen+nlmsg.Align(len(a.Request))):]
}

// isBad reports whether the message is malformed or incomplete.
func (m message) isBad() bool {
	return m.Error != "" || m.Generic != nil && m.Generic.Error != "" || m.Body != nil && m.Body.Error != "" ||
		m.Answer != nil && m.Answer.Error != ""
}

func (m *message) write(w *strings.Builder) {
	const indent = "  "
	if e := m.Envelope; e != nil {
		fmt.Fprintf(w, "%s%s  %s  seq %d  port %d  %d bytes\n", indent, printable(e.Name), flagsText(e.Flags), e.Seq, e.Port, m.Length)
	}
	switch {
	case m.Generic != nil:
		m.Generic.write(w, indent+indent)
	case m.Body != nil:
		m.Body.write(w, indent+indent)
	case m.Answer != nil:
		m.Answer.write(w, indent+indent)
	}
	if m.Error != "" {
		fmt.Fprintf(w, "%sat offset %d of the datagram: %s\n", indent, m.Offset, m.Error)
	}
	if m.Payload != "" {
		fmt.Fprintf(w, "%s%s\n", indent+indent, m.Payload)
	}
	if m.Text != "" {
		fmt.Fprintf(w, "%s%s\n", indent+indent, strconv.QuoteToASCII(m.Text))
	}
}

func flagsText(flags []string) string {
	if len(flags) == 0 {
		return "0"
	}
	return strings.Join(flags, "|")
}

func (a *answer) write(w *strings.Builder, indent string) {
	line := func(format string, args ...any) { fmt.Fprintf(w, indent+format+"\n", args...) }
	switch {
	case a.Text != "":
		line("errno %d: %s", a.Errno, a.Text)
	case a.Errno != 0:
		line("errno %d", a.Errno)
	case a.Error == "":
		line("success")
	}
	if a.Message != "" {
		line("%s", strconv.QuoteToASCII(a.Message))
	}
	if a.Offset != nil {
		line("invalid attribute at offset %d of the request", *a.Offset)
	}
	if a.Policy != "" {
		line("policy: %s", a.Policy)
	}
	if a.Missing != nil {
		line("attribute %d is missing", *a.Missing)
	}
	if a.Nest != nil {
		line("in the nest at offset %d of the request", *a.Nest)
	}
	if a.Cookie != "" {
		line("cookie %s", a.Cookie)
	}
	if a.Request != "" {
		line("request: %s", a.Request)
	}
	if a.Error != "" {
		line("%s", a.Error)
	}
}
