package ctrl

import (
	"errors"
	"fmt"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Family is what the controller tells of a family (ctrl_fill_info). It owns
// its memory.
type Family struct {
	Name    string
	ID      uint16 // the type of its messages
	Version uint32
	HdrSize uint32 // bytes of the user header behind struct genlmsghdr
	MaxAttr uint32 // highest attribute type; 0 also where it differs by operation
	Ops     []Op
	Groups  []Group
}

// Op is an operation of a family: a command and how it may be asked for.
type Op struct {
	ID    uint32 // the cmd field of its messages
	Flags genlmsg.OpFlags
}

// Group is a multicast group of a family.
type Group struct {
	ID   uint32 // for socket.Join
	Name string
}

// Op returns the operation with that command.
func (f *Family) Op(cmd uint8) (Op, bool) {
	for _, op := range f.Ops {
		if op.ID == uint32(cmd) {
			return op, true
		}
	}
	return Op{}, false
}

// Group returns the id of the multicast group with that name.
func (f *Family) Group(name string) (id uint32, ok bool) {
	for _, g := range f.Groups {
		if g.Name == name {
			return g.ID, true
		}
	}
	return 0, false
}

// ErrNotFamily: the message is not a NEWFAMILY or DELFAMILY of the controller.
var ErrNotFamily = errors.New("ctrl: not a family message of the controller")

// ParseFamily decodes a NEWFAMILY or DELFAMILY message. Attributes it does not
// know are skipped, for newer kernels may send more; a name and an id must be
// there.
func ParseFamily(m nlmsg.Msg) (Family, error) {
	h, n := genlmsg.Consume(m.Payload())
	isFamily := h.Cmd() == genlmsg.CtrlCmdNewFamily || h.Cmd() == genlmsg.CtrlCmdDelFamily
	if n < 0 || m.Type() != genlmsg.IDCtrl || !isFamily {
		return Family{}, ErrNotFamily
	}
	return parseBody(genlmsg.Attrs(m, 0))
}

func (f *Family) set(a nla.Attr) (err error) {
	switch a.Type() {
	case genlmsg.CtrlAttrFamilyID:
		f.ID, err = a.Uint16()
	case genlmsg.CtrlAttrFamilyName:
		f.Name, err = text(a)
	case genlmsg.CtrlAttrVersion:
		f.Version, err = a.Uint32()
	case genlmsg.CtrlAttrHdrSize:
		f.HdrSize, err = a.Uint32()
	case genlmsg.CtrlAttrMaxAttr:
		f.MaxAttr, err = a.Uint32()
	case genlmsg.CtrlAttrOps:
		f.Ops, err = parseArray(a, (*Op).set)
	case genlmsg.CtrlAttrMulticastGroups:
		f.Groups, err = parseArray(a, (*Group).set)
	}
	return err
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

func (g *Group) set(a nla.Attr) (err error) {
	switch a.Type() {
	case genlmsg.CtrlAttrMulticastGroupID:
		g.ID, err = a.Uint32()
	case genlmsg.CtrlAttrMulticastGroupName:
		g.Name, err = text(a)
	}
	return err
}

// parseArray decodes an indexed array: nests whose types count up, each with
// the attributes of one element.
func parseArray[T any](array nla.Attr, set func(*T, nla.Attr) error) ([]T, error) {
	var out []T
	for entry, err := range nla.All(array.Payload()) {
		if err != nil {
			return nil, err
		}
		var v T
		for a, err := range nla.All(entry.Payload()) {
			if err == nil {
				err = set(&v, a)
			}
			if err != nil {
				return nil, fmt.Errorf("entry %d, attribute %d: %w", entry.Type(), a.Type(), err)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func text(a nla.Attr) (string, error) {
	s, err := a.CString()
	return string(s), err
}
