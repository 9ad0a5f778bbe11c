package nlmsg

import "strconv"

// Type is the type field of a message. Types below MinType are control messages; they are the
// same in every protocol.
type Type uint16

// The control messages (NLMSG_*). An Error is the reply to a request, with an errno, or with 0 as
// an acknowledgement. A Done ends a multipart reply.
const (
	TypeNoop    Type = 1
	TypeError   Type = 2
	TypeDone    Type = 3
	TypeOverrun Type = 4
	MinType     Type = 0x10
)

// String returns the name of a control message, or the number in hex.
func (t Type) String() string {
	switch t {
	case TypeNoop:
		return "noop"
	case TypeError:
		return "error"
	case TypeDone:
		return "done"
	case TypeOverrun:
		return "overrun"
	}
	return "0x" + strconv.FormatUint(uint64(t), 16)
}

// Flags is the flags field of a message. The lower byte has the same meaning in every message;
// the meaning of the upper byte depends on the Kind.
type Flags uint16

// Flags of every message (NLM_F_*).
const (
	FlagRequest      Flags = 0x01 // a request; the kernel ignores messages without it
	FlagMulti        Flags = 0x02 // part of a reply that ends with Done
	FlagAck          Flags = 0x04 // request an acknowledgement on success, too
	FlagEcho         Flags = 0x08 // send the notifications caused by this request to the requester, too
	FlagDumpIntr     Flags = 0x10 // the dump is inconsistent: its objects changed while it ran
	FlagDumpFiltered Flags = 0x20 // the dump was filtered as requested
)

// Flags of a get request. It is a dump only if both bits of FlagDump are set.
const (
	FlagRoot   Flags = 0x100 // the whole table
	FlagMatch  Flags = 0x200 // all matching objects
	FlagAtomic Flags = 0x400 // an atomic snapshot (no effect in current kernels)
	FlagDump   Flags = FlagRoot | FlagMatch
)

// Flags of a new request.
const (
	FlagReplace Flags = 0x100 // replace an existing object
	FlagExcl    Flags = 0x200 // fail with EEXIST if the object exists
	FlagCreate  Flags = 0x400 // create the object if it does not exist
	FlagAppend  Flags = 0x800 // add at the end of the list
)

// Flags of a delete request.
const (
	FlagNonRec Flags = 0x100 // do not delete recursively
	FlagBulk   Flags = 0x200 // delete all matching objects
)

// Flags of an Error message.
const (
	FlagCapped  Flags = 0x100 // the payload of the request is not repeated
	FlagAckTLVs Flags = 0x200 // extended ACK attributes follow (in Done too)
)

// Kind selects the meaning of the upper byte of Flags. The family defines whether a request gets,
// creates or deletes an object; the flags alone do not show it.
type Kind uint8

// The kinds of messages, by the meaning of their flags.
const (
	KindUnknown Kind = iota
	KindGet
	KindNew
	KindDelete
	KindAck
)

// KindOf returns KindAck for Error and Done, KindUnknown for any other type.
func KindOf(t Type) Kind {
	if t == TypeError || t == TypeDone {
		return KindAck
	}
	return KindUnknown
}

var commonFlags = [8]string{"request", "multi", "ack", "echo", "dump-intr", "dump-filtered"}

// upperFlags names the bits from 0x100 on, by kind.
var upperFlags = [...][8]string{
	KindUnknown: {},
	KindGet:     {"root", "match", "atomic"},
	KindNew:     {"replace", "excl", "create", "append"},
	KindDelete:  {"nonrec", "bulk"},
	KindAck:     {"capped", "ack-tlvs"},
}

// String returns the names of the flags in the lower byte, and the other bits as a number:
// "request|ack|0x300".
func (f Flags) String() string { return f.Names(KindUnknown) }

// Names returns the names of the flags for a message of the given kind, and unnamed bits as a
// number: "request|dump". It returns "0" if no flag is set.
func (f Flags) Names(k Kind) string {
	if int(k) >= len(upperFlags) {
		k = KindUnknown
	}
	var text []byte
	add := func(name string) {
		if len(text) > 0 {
			text = append(text, '|')
		}
		text = append(text, name...)
	}
	var nameless Flags
	for bit := range 16 {
		if f&(1<<bit) == 0 {
			continue
		}
		name := upperFlags[k][bit%8]
		if bit < 8 {
			name = commonFlags[bit]
		}
		switch {
		case k == KindGet && f&FlagDump == FlagDump && name == "root":
			add("dump")
		case k == KindGet && f&FlagDump == FlagDump && name == "match":
		case name == "":
			nameless |= 1 << bit
		default:
			add(name)
		}
	}
	if nameless != 0 || f == 0 {
		hex := strconv.FormatUint(uint64(nameless), 16)
		if f == 0 {
			return "0"
		}
		add("0x" + hex)
	}
	return string(text)
}
