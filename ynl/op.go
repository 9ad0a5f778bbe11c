package ynl

import "github.com/nlwire/nlwire/nla"

// NoNumber replaces the number of a message that does not exist: the request of a notification, or the
// reply of an operation without one.
const NoNumber = -1

// Op is an operation: a request with its replies, or a notification.
type Op struct {
	Name        string
	Set         *Set    // of the attributes; nil for a reserved number
	FixedHeader *Struct // before the attributes, or nil

	Request int // number of the request, or NoNumber
	Reply   int // number of replies or of the notification, or NoNumber
	// First lists the values of the first byte of the fixed header that select this operation
	// among those with the same number (the address families of sock_diag). nil matches any
	// value.
	First []uint8

	Do, Dump *Mode    // nil if the operation lacks this mode
	Event    []string // attributes of an event
	Notify   *Op      // of a notification: the operation that has the same reply
	Group    string   // multicast group of a notification, "" if unknown
	Async    bool     // a notification or an event

	Flags        []string // required privileges: admin-perm, uns-admin-perm
	DontValidate []string // validations that the kernel skips: strict, dump, dump-strict
}

// Mode is a way to call an operation: once (do) or for a whole table (dump).
type Mode struct {
	Request []string // names of the attributes
	Reply   []string // names of the attributes
	// ReplyNumber is the number of the replies. The number of a dump's replies can differ from
	// that of the Op.
	ReplyNumber int
	HasReply    bool
}

// IsReserved reports whether the operation only reserves a number.
func (o *Op) IsReserved() bool { return o.Do == nil && o.Dump == nil && !o.Async }

// HeaderLen returns the length of the fixed header with the padding before the attributes
// (nlmsg_attrdata, genlmsg_attrdata), 0 if there is none.
func (o *Op) HeaderLen() int {
	if o.FixedHeader == nil {
		return 0
	}
	return nla.Align(o.FixedHeader.padded())
}

// ReplyAttrs returns the names of the attributes that the spec lists for the reply or the
// notification.
func (o *Op) ReplyAttrs() []string {
	switch {
	case o.Notify != nil && o.Notify != o:
		return o.Notify.ReplyAttrs()
	case o.Event != nil:
		return o.Event
	case o.Do != nil && o.Do.HasReply:
		return o.Do.Reply
	case o.Dump != nil:
		return o.Dump.Reply
	}
	return nil
}
