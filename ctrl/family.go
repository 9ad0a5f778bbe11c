package ctrl

import (
	"strconv"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
)

// Family describes a family as the controller reports it (ctrl_fill_info). It owns its
// memory.
type Family struct {
	Name    string
	ID      nlmsg.Type // type of its messages
	Version uint32
	HdrSize uint32 // bytes of the family header that follows struct genlmsghdr
	MaxAttr uint32 // highest attribute type; 0 if it differs by operation
	Ops     []Op
	Groups  []Group
}

// Op is an operation of a family: a command and the kinds of requests that it accepts.
type Op struct {
	ID    uint32 // the cmd field of its messages
	Flags genlmsg.OpFlags
}

// Group is a multicast group of a family.
type Group struct {
	ID   uint32 // for socket.Join
	Name string
}

// Op returns the operation with a command.
func (f *Family) Op(cmd uint8) (Op, bool) {
	for _, op := range f.Ops {
		if op.ID == uint32(cmd) {
			return op, true
		}
	}
	return Op{}, false
}

// Group returns the id of the multicast group with a name.
func (f *Family) Group(name string) (id uint32, ok bool) {
	for _, g := range f.Groups {
		if g.Name == name {
			return g.ID, true
		}
	}
	return 0, false
}

// Request returns a request over c for an operation of the family: the family's id and
// version, the command, and HdrSize zero bytes of family header, padded to 4. The caller
// appends attributes to B and releases the request after use.
//
//	r := f.Request(c, cmd, nlmsg.FlagRequest|nlmsg.FlagAck)
//	defer r.Release()
//	r.B = nla.AppendUint32(r.B, attrIfindex, 7)
//	_, err := c.Do(ctx, r)
//
// The family header starts at byte 20 of B ([nlmsg.HeaderLen] + [genlmsg.HeaderLen]): fill
// B[20 : 20+HdrSize]. Op, which names the request in errors, is set to the family's name.
// For headers of up to 64 bytes, Request does not allocate if the pool has a request.
func (f *Family) Request(c *conn.Conn, cmd uint8, flags nlmsg.Flags) *conn.Request {
	var short [genlmsg.HeaderLen + 64]byte
	header := short[:]
	if size := genlmsg.HeaderLen + int(f.HdrSize); size <= len(short) {
		header = header[:size]
	} else {
		header = make([]byte, size)
	}
	genlmsg.Append(header[:0], cmd, uint8(f.Version))
	r := c.Request(f.ID, flags, header)
	r.Op = f.Name
	return r
}

// quote returns a name for use in texts. It adds quotes if the name has a space or bytes
// that a terminal does not print.
func quote(name string) string {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return strconv.QuoteToASCII(name)
		}
	}
	return name
}
