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

// HeaderFlags is the flags field of a message (NLM_F_*). The meaning of the upper byte depends on the
// kind of message: a GET request, a NEW request or an error.
type HeaderFlags uint16

// Flags of every message.
const (
	Request         = HeaderFlags(nlmsg.FlagRequest)      // a request to the kernel
	Multi           = HeaderFlags(nlmsg.FlagMulti)        // part of a reply that Done ends
	Acknowledge     = HeaderFlags(nlmsg.FlagAck)          // requests an acknowledgement on success
	Echo            = HeaderFlags(nlmsg.FlagEcho)         // requests a copy of the notification that the request causes
	DumpInterrupted = HeaderFlags(nlmsg.FlagDumpIntr)     // the dump is inconsistent
	DumpFiltered    = HeaderFlags(nlmsg.FlagDumpFiltered) // the dump was filtered as requested
)

// Flags of a GET request.
const (
	Root   = HeaderFlags(nlmsg.FlagRoot)   // the complete table
	Match  = HeaderFlags(nlmsg.FlagMatch)  // all matching objects
	Atomic = HeaderFlags(nlmsg.FlagAtomic) // an atomic snapshot
	Dump   = HeaderFlags(nlmsg.FlagDump)   // Root and Match: a dump
)

// Flags of a NEW request.
const (
	Replace = HeaderFlags(nlmsg.FlagReplace) // replace an existing object
	Excl    = HeaderFlags(nlmsg.FlagExcl)    // fail if the object exists
	Create  = HeaderFlags(nlmsg.FlagCreate)  // create the object if it does not exist
	Append  = HeaderFlags(nlmsg.FlagAppend)  // append to the end of the list
)

// Flags of an error or acknowledgement.
const (
	Capped          = HeaderFlags(nlmsg.FlagCapped)  // the payload of the request is not repeated
	AcknowledgeTLVs = HeaderFlags(nlmsg.FlagAckTLVs) // extended ACK attributes follow
)

// flagNames contains the names of the flags in bits 0 to 5, which all messages share.
var flagNames = [...]string{"request", "multi", "acknowledge", "echo", "dumpinterrupted", "dumpfiltered"}

// String returns the names of the flags, separated by |. Flags whose meaning depends on the message are
// a hexadecimal number. No flags are "0".
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

// HeaderType is the type of a message: a control type, or a number that the family defines.
type HeaderType uint16

// The control types (NLMSG_*).
const (
	Noop    = HeaderType(nlmsg.TypeNoop)    // no content
	Error   = HeaderType(nlmsg.TypeError)   // an errno; 0 is an acknowledgement
	Done    = HeaderType(nlmsg.TypeDone)    // the end of a multipart reply
	Overrun = HeaderType(nlmsg.TypeOverrun) // messages were lost
)

// String returns the name of a control type, or "unknown" with the number.
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

// A Header is struct nlmsghdr, with the same memory layout.
type Header struct {
	Length   uint32      // of the message in bytes, this header included
	Type     HeaderType  // type of the message
	Flags    HeaderFlags // flags of the message
	Sequence uint32      // a reply repeats the request's
	PID      uint32      // port ID; in a reply that of the requesting socket
}
