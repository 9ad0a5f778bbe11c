package ynl

import "github.com/nlwire/nlwire/nlmsg"

// names has the definitions of a spec by name and by number.
type names struct {
	consts   map[string]*Const
	enums    map[string]*Enum
	structs  map[string]*Struct
	sets     map[string]*Set
	messages map[string]*SubMessage
	ops      map[string]*Op
	groups   map[string]*Group
	requests map[int]*Op
	replies  map[int]*Op
	notes    map[int]*Op // notifications and events
	byFirst  map[firstByte]*Op
}

// firstByte identifies an operation that shares its number with others.
type firstByte struct {
	dir    Direction
	number int
	value  uint8
}

// Const returns the constant with that name, or nil.
func (s *Spec) Const(name string) *Const { return s.names.consts[name] }

// Enum returns the enum or flags with that name, or nil.
func (s *Spec) Enum(name string) *Enum { return s.names.enums[name] }

// Struct returns the struct with that name, or nil.
func (s *Spec) Struct(name string) *Struct { return s.names.structs[name] }

// Set returns the attribute set with that name, or nil.
func (s *Spec) Set(name string) *Set { return s.names.sets[name] }

// SubMessage returns the sub-message with that name, or nil.
func (s *Spec) SubMessage(name string) *SubMessage { return s.names.messages[name] }

// Op returns the operation or notification with that name, or nil.
func (s *Spec) Op(name string) *Op { return s.names.ops[name] }

// Group returns the multicast group with that name, or nil.
func (s *Spec) Group(name string) *Group { return s.names.groups[name] }

// OpByRequest returns the operation whose request has that number, or nil: the command of a Generic
// Netlink header, the message type of other protocols. Operations with Op.First are found by
// [Spec.OpOf] only.
func (s *Spec) OpByRequest(n int) *Op { return s.names.requests[n] }

// OpByReply returns the operation or notification of messages from the kernel with that number,
// or nil. If several share the number, operations precede notifications, and earlier
// definitions precede later ones. If no reply has the number, it is the operation whose request
// has it, because many families send notifications with the number of a request.
func (s *Spec) OpByReply(n int) *Op {
	if o := s.names.replies[n]; o != nil {
		return o
	}
	return s.names.requests[n]
}

// OpByNotification returns the notification or event with that number, or nil. If several share
// the number, earlier definitions precede later ones. Without one, it is the operation that
// OpByReply returns.
func (s *Spec) OpByNotification(n int) *Op {
	if o := s.names.notes[n]; o != nil {
		return o
	}
	return s.OpByReply(n)
}

// OpOf returns the operation of a message, or nil: the one that [Spec.OpByRequest],
// [Spec.OpByReply] or [Spec.OpByNotification] returns, or an operation that Op.First distinguishes.
func (s *Spec) OpOf(m nlmsg.Msg, dir Direction) *Op {
	n := s.Number(m)
	if skip := s.headerLen(); len(s.names.byFirst) > 0 && len(m) > skip {
		key := firstByte{dir, n, m[skip]}
		if dir == Notification {
			key.dir = Reply
		}
		if o := s.names.byFirst[key]; o != nil {
			return o
		}
	}
	switch dir {
	case Request:
		return s.OpByRequest(n)
	case Notification:
		return s.OpByNotification(n)
	}
	return s.OpByReply(n)
}

// indexOps fills the tables of numbers. Operations precede notifications, and both precede the
// numbers of dump replies.
func (s *Spec) indexOps() {
	s.names.requests, s.names.replies, s.names.notes = map[int]*Op{}, map[int]*Op{}, map[int]*Op{}
	add := func(m map[int]*Op, n int, o *Op) {
		if _, taken := m[n]; !taken && n != NoNumber {
			m[n] = o
		}
	}
	for _, o := range s.Ops {
		if o.First == nil && !o.IsReserved() {
			add(s.names.requests, o.Request, o)
		}
		for _, value := range o.First {
			if s.names.byFirst == nil {
				s.names.byFirst = map[firstByte]*Op{}
			}
			s.names.byFirst[firstByte{Request, o.Request, value}] = o
			s.names.byFirst[firstByte{Reply, o.Reply, value}] = o
		}
	}
	for _, async := range []bool{false, true} {
		for _, o := range s.Ops {
			if o.First == nil && !o.IsReserved() && o.Async == async {
				add(s.names.replies, o.Reply, o)
			}
			if async && o.First == nil && o.Async {
				add(s.names.notes, o.Reply, o)
			}
		}
	}
	for _, o := range s.Ops {
		if o.First == nil && o.Dump != nil {
			add(s.names.replies, o.Dump.ReplyNumber, o)
		}
	}
}
