package ctrl

import (
	"bytes"
	"fmt"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// maxHeader is the largest plausible family header: most families have none, some have one
// of 4 bytes. It limits the allocation of [Family.Request] if the controller is hostile.
const maxHeader = 1 << 12

// ParseFamily decodes a NEWFAMILY or DELFAMILY message. It ignores unknown attributes,
// since newer kernels may send more; a name and an id must be present. A family header
// above 4 KiB is ErrHeaderSize; any other message is ErrNotFamily.
func ParseFamily(m nlmsg.Msg) (Family, error) {
	var f Family
	h, n := genlmsg.Consume(m.Payload())
	isFamily := h.Cmd() == genlmsg.CtrlCmdNewFamily || h.Cmd() == genlmsg.CtrlCmdDelFamily
	if n < 0 || m.Type() != genlmsg.IDCtrl || !isFamily {
		return f, ErrNotFamily
	}
	if err := f.parse(genlmsg.Attrs(m, 0)); err != nil {
		return Family{}, err
	}
	return f, nil
}

// parse decodes the attributes of a family.
func (f *Family) parse(attrs []byte) error {
	c := nla.Walk(attrs)
	for ; c.More(); c = c.Next() {
		if err := f.set(c.Attr()); err != nil {
			return fmt.Errorf("ctrl: family message, attribute %d: %w", c.Type(), err)
		}
	}
	if err := c.Err(); err != nil {
		return fmt.Errorf("ctrl: family message: %w", err)
	}
	if f.Name == "" || f.ID == 0 {
		return fmt.Errorf("%w: no name or no id", ErrNotFamily)
	}
	if f.HdrSize > maxHeader {
		return headerError(f)
	}
	return nil
}

func headerError(f *Family) error {
	return fmt.Errorf("%w: family %q reports %d bytes, the limit is %d", ErrHeaderSize, f.Name, f.HdrSize, maxHeader)
}

func (f *Family) set(a nla.Attr) (err error) {
	switch a.Type() {
	case genlmsg.CtrlAttrFamilyID:
		var id uint16
		id, err = a.Uint16()
		f.ID = nlmsg.Type(id)
	case genlmsg.CtrlAttrFamilyName:
		var name []byte
		name, err = a.CString()
		f.Name = string(name)
	case genlmsg.CtrlAttrVersion:
		f.Version, err = a.Uint32()
	case genlmsg.CtrlAttrHdrSize:
		f.HdrSize, err = a.Uint32()
	case genlmsg.CtrlAttrMaxAttr:
		f.MaxAttr, err = a.Uint32()
	case genlmsg.CtrlAttrOps:
		f.Ops, err = parseOps(a.Payload())
	case genlmsg.CtrlAttrMulticastGroups:
		f.Groups, err = parseGroups(a.Payload())
	}
	return err
}

// opLen is the length of the kernel's entry for an operation: a nest of two 32-bit
// attributes.
const opLen = nla.HeaderLen + 2*8

// parseOps decodes the array of operations: nests with an id and flags.
func parseOps(b []byte) ([]Op, error) {
	if len(b) == 0 {
		return nil, nil
	}
	ops := make([]Op, 0, len(b)/opLen)
	c := nla.Walk(b)
	for ; c.More(); c = c.Next() {
		var op Op
		if err := op.parse(c.Attr().Payload()); err != nil {
			return nil, fmt.Errorf("operation %d: %w", len(ops), err)
		}
		ops = append(ops, op)
	}
	if err := c.Err(); err != nil {
		return nil, fmt.Errorf("operation %d: %w", len(ops), err)
	}
	return ops, nil
}

func (o *Op) parse(b []byte) error {
	c := nla.Walk(b)
	for ; c.More(); c = c.Next() {
		if err := o.set(c.Attr()); err != nil {
			return err
		}
	}
	return c.Err()
}

func (o *Op) set(a nla.Attr) (err error) {
	switch a.Type() {
	case genlmsg.CtrlAttrOpID:
		o.ID, err = a.Uint32()
	case genlmsg.CtrlAttrOpFlags:
		var flags uint32
		flags, err = a.Uint32()
		o.Flags = genlmsg.OpFlags(flags)
	}
	return err
}

// count returns the number of attributes in b.
func count(b []byte) (n int, err error) {
	c := nla.Walk(b)
	for ; c.More(); c = c.Next() {
		n++
	}
	if err := c.Err(); err != nil {
		return 0, fmt.Errorf("entry %d: %w", n, err)
	}
	return n, nil
}

// parseGroups decodes the array of groups: nests with a name and an id. The names are
// substrings of a single string copy of b.
func parseGroups(b []byte) ([]Group, error) {
	n, err := count(b)
	if n == 0 {
		return nil, err
	}
	groups, all, at := make([]Group, n), string(b), 0
	for i := range groups {
		entry, n := nla.Consume(b[at:])
		body := entry.Payload()
		for e := body; len(e) > 0; {
			a, n := nla.Consume(e)
			err := nla.ParseError(n)
			if err == nil {
				start := at + nla.HeaderLen + len(body) - len(e) + nla.HeaderLen // offset of the payload of a
				err = groups[i].set(a, all[start:])
			}
			if err != nil {
				return nil, fmt.Errorf("group %d: %w", i, err)
			}
			e = e[n:]
		}
		at += n
	}
	return groups, nil
}

// set processes an attribute. text starts with its payload.
func (g *Group) set(a nla.Attr, text string) (err error) {
	switch a.Type() {
	case genlmsg.CtrlAttrMulticastGroupID:
		g.ID, err = a.Uint32()
	case genlmsg.CtrlAttrMulticastGroupName:
		n := bytes.IndexByte(a.Payload(), 0)
		if n < 0 {
			return nla.ErrUnterminated
		}
		g.Name = text[:n]
	}
	return err
}
