package nlmsg

import "strconv"

// Type is the type field of a message. Types below MinType are control
// messages, the same for every protocol.
type Type uint16

// The control messages (NLMSG_*). Error answers a request with an errno, or
// with 0 as its acknowledgement; Done ends a multipart reply.
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

// Flags is the flags field of a message. Its lower byte is the same in every
// message, the upper byte means something else for each Kind.
type Flags uint16

// Flags of every message (NLM_F_*).
const (
	FlagRequest      Flags = 0x01 // a request; the kernel handles nothing without it
	FlagMulti        Flags = 0x02 // part of a reply that ends with Done
	FlagAck          Flags = 0x04 // answer with an acknowledgement, also on success
	FlagEcho         Flags = 0x08 // send the notification of this request back too
	FlagDumpIntr     Flags = 0x10 // the dump is inconsistent: things changed meanwhile
	FlagDumpFiltered Flags = 0x20 // the dump was filtered as the request asked
)

// Flags of a get request. Only with both bits of Dump it is a dump.
const (
	FlagRoot   Flags = 0x100 // the whole table
	FlagMatch  Flags = 0x200 // all that match
	FlagAtomic Flags = 0x400 // an atomic snapshot (of no effect in today's kernels)
	FlagDump   Flags = FlagRoot | FlagMatch
)

// Flags of a new request.
const (
	FlagReplace Flags = 0x100 // replace what is there
	FlagExcl    Flags = 0x200 // fail with EEXIST if it is there
	FlagCreate  Flags = 0x400 // create if it is not there
	FlagAppend  Flags = 0x800 // add at the end of the list
)

// Flags of a delete request.
const (
	FlagNonRec Flags = 0x100 // do not delete recursively
	FlagBulk   Flags = 0x200 // delete all that match
)

// Flags of an Error message.
const (
	FlagCapped  Flags = 0x100 // the payload of the request is not repeated
	FlagAckTLVs Flags = 0x200 // extended ACK attributes follow (in Done too)
)

// Kind selects the meaning of the upper byte of Flags. Whether a request gets, makes
// or deletes something is defined by the family; the bits alone do not show it.
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

// String returns the names of the flags that every message has and the rest
// as a number: "request|ack|0x300".
func (f Flags) String() string { return f.Names(KindUnknown) }

// Names returns the names of the flags of a message of that kind, with what has
// no name as a number: "request|dump". It returns "0" for none.
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
