package ynl

// numbering assigns numbers to messages without a number in the spec. In the unified model
// requests and replies share a counter; in the directional model each direction has one.
type numbering struct {
	directional    bool
	request, reply int64
}

// assign sets the numbers of an operation and advances the counters. mode is the object of its
// do or, without a do, of its dump.
func (c *numbering) assign(b *builder, o object, op *Op, mode object) {
	top := b.maxNumber()
	defer func() { c.check(b, o, op, top) }()
	if !c.directional {
		c.request = o.within("value", 0, top, c.request)
		op.Request, op.Reply = int(c.request), int(c.request)
		c.request++
		return
	}
	switch {
	case op.Async:
		c.reply = o.within("value", 0, top, c.reply)
		op.Request, op.Reply = NoNumber, int(c.reply)
		c.reply++
	case op.Do != nil || op.Dump != nil:
		if n := mode.keys["request"]; n != nil {
			c.request = b.object(n, o.what, dirKeys).within("value", 1, top, c.request)
		}
		op.Request, op.Reply = int(c.request), NoNumber
		c.request++
		if n := mode.keys["reply"]; n != nil {
			c.reply = b.object(n, o.what, dirKeys).within("value", 1, top, c.reply)
			op.Reply = int(c.reply)
			c.reply++
		} else if mode.keys == nil {
			return
		}
	default:
		b.errorf(o.at, "%s: the directional model needs do, dump, notify or event", o.what)
	}
}

// maxNumber returns the highest number of an operation: a command of Generic Netlink has 8 bits, a
// message type 16.
func (b *builder) maxNumber() int64 {
	if b.spec.Protocol == GenericProtocol {
		return 1<<8 - 1
	}
	return 1<<16 - 1
}

// check reports a number that the counters have increased beyond the highest one.
func (c *numbering) check(b *builder, o object, op *Op, top int64) {
	if n := max(op.Request, op.Reply); int64(n) > top {
		b.errorf(o.at, "%s: number %d is above %d", o.what, n, top)
	}
}
