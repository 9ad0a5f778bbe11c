package netlink

import (
	"strconv"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// The flag bits of an attribute's type (NLA_F_*).
const (
	Nested       uint16 = nla.Nested
	NetByteOrder uint16 = nla.NetByteOrder

	attrTypeMask uint16 = nla.TypeMask
)

// HeaderFlags is the flags field of a message (NLM_F_*). What the upper byte means depends
// on whether the message is a request to get or to make something, or an error.
type HeaderFlags uint16

// Flags of every message.
const (
	Request         = HeaderFlags(nlmsg.FlagRequest)      // a request to the kernel
	Multi           = HeaderFlags(nlmsg.FlagMulti)        // part of a reply that Done ends
	Acknowledge     = HeaderFlags(nlmsg.FlagAck)          // asks for an answer on success too
	Echo            = HeaderFlags(nlmsg.FlagEcho)         // asks for the notification of this request
	DumpInterrupted = HeaderFlags(nlmsg.FlagDumpIntr)     // the dump is inconsistent
	DumpFiltered    = HeaderFlags(nlmsg.FlagDumpFiltered) // the dump was filtered as asked for
)

// Flags of a request to get something.
const (
	Root   = HeaderFlags(nlmsg.FlagRoot)   // the whole table
	Match  = HeaderFlags(nlmsg.FlagMatch)  // all that match
	Atomic = HeaderFlags(nlmsg.FlagAtomic) // an atomic snapshot
	Dump   = HeaderFlags(nlmsg.FlagDump)   // Root and Match: a list
)

// Flags of a request to make something.
const (
	Replace = HeaderFlags(nlmsg.FlagReplace) // replaces what is there
	Excl    = HeaderFlags(nlmsg.FlagExcl)    // fails if it is there
	Create  = HeaderFlags(nlmsg.FlagCreate)  // makes it if it is not there
	Append  = HeaderFlags(nlmsg.FlagAppend)  // adds at the end of the list
)

// Flags of an error or acknowledgement.
const (
	Capped          = HeaderFlags(nlmsg.FlagCapped)  // the payload of the request is not repeated
	AcknowledgeTLVs = HeaderFlags(nlmsg.FlagAckTLVs) // extended ACK attributes follow
)

// flagNames are the names of the flags of every message, from bit 0 on.
var flagNames = [...]string{"request", "multi", "acknowledge", "echo", "dumpinterrupted", "dumpfiltered"}

// String returns the names of the flags that every message has and the others as a
// hexadecimal number, with | between them, and "0" for none.
func (f HeaderFlags) String() string {
	if f == 0 {
		return "0"
	}
	text := ""
	for bit, name := range flagNames {
		if f&(1<<bit) != 0 {
			text += "|" + name
			f &^= 1 << bit
		}
	}
	if f != 0 {
		text += "|0x" + strconv.FormatUint(uint64(f), 16)
	}
	return text[1:]
}

// HeaderType is the type of a message: one of the control types, or what the family
// defines.
type HeaderType uint16

// The control types (NLMSG_*).
const (
	Noop    = HeaderType(nlmsg.TypeNoop)    // nothing
	Error   = HeaderType(nlmsg.TypeError)   // an errno, which is 0 in an acknowledgement
	Done    = HeaderType(nlmsg.TypeDone)    // the end of a multipart reply
	Overrun = HeaderType(nlmsg.TypeOverrun) // messages were lost
)

// String returns the name of a control type, and unknown with the number for any other.
func (t HeaderType) String() string {
	switch t {
	case Noop:
		return "noop"
	case Error:
		return "error"
	case Done:
		return "done"
	case Overrun:
		return "overrun"
	}
	return "unknown(" + strconv.Itoa(int(t)) + ")"
}

// A Header is struct nlmsghdr. It has that layout in memory too.
type Header struct {
	Length   uint32      // of the message in bytes, with this header
	Type     HeaderType  // of what follows
	Flags    HeaderFlags // of the request or reply
	Sequence uint32      // in a reply that of the request
	PID      uint32      // port ID: in a reply that of the requesting socket
}
