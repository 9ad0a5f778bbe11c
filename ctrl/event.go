package ctrl

import (
	"context"
	"fmt"
	"iter"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Event is a change that the controller tells (genl_ctrl_event): a family that
// came or went, or one of its groups.
type Event struct {
	// Cmd is genlmsg.CtrlCmdNewFamily, CtrlCmdDelFamily,
	// CtrlCmdNewMulticastGroup or CtrlCmdDelMulticastGroup.
	Cmd uint8
	// Family is all of a family; of a group's family only the name and the id,
	// with the group in Groups.
	Family Family
}

// String returns what happened: "new family foo, id 30".
func (e Event) String() string {
	switch e.Cmd {
	case genlmsg.CtrlCmdNewFamily:
		return fmt.Sprintf("new family %s, id %d", e.Family.Name, e.Family.ID)
	case genlmsg.CtrlCmdDelFamily:
		return fmt.Sprintf("family %s, id %d, is gone", e.Family.Name, e.Family.ID)
	}
	what := "new group"
	if e.Cmd == genlmsg.CtrlCmdDelMulticastGroup {
		what = "gone group"
	}
	for _, g := range e.Family.Groups {
		what += fmt.Sprintf(" %s, id %d,", g.Name, g.ID)
	}
	return what + " of family " + e.Family.Name
}

// ParseEvent decodes a notification of the controller. What is none is
// ErrNotFamily.
func ParseEvent(m nlmsg.Msg) (Event, error) {
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 || m.Type() != genlmsg.IDCtrl {
		return Event{}, ErrNotFamily
	}
	e := Event{Cmd: h.Cmd()}
	var err error
	switch e.Cmd {
	case genlmsg.CtrlCmdNewFamily, genlmsg.CtrlCmdDelFamily:
		e.Family, err = ParseFamily(m)
	case genlmsg.CtrlCmdNewMulticastGroup, genlmsg.CtrlCmdDelMulticastGroup:
		e.Family, err = parseBody(genlmsg.Attrs(m, 0))
	default:
		err = ErrNotFamily
	}
	return e, err
}

// Watch ranges over the changes from now on, waiting for each; what is already
// there is not told. A *conn.LossError among them says that some were lost: what
// is known has to be asked for again. The loop goes on after it, and after a
// notification that is not understood. Any other error comes last, that of ctx
// too.
func (c *Client) Watch(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		sub, err := c.conn.Subscribe(notifyGroup)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer sub.Close()
		for m, err := range sub.All(ctx) {
			var e Event
			if err == nil {
				e, err = ParseEvent(m)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// notifyGroup is the controller's group "notify". It has the controller's id
// (GENL_ID_CTRL, genl_allocate_reserve_groups).
const notifyGroup = genlmsg.IDCtrl

// parseBody decodes the attributes of a family.
func parseBody(attrs []byte) (Family, error) {
	var f Family
	for a, err := range nla.All(attrs) {
		if err == nil {
			err = f.set(a)
		}
		if err != nil {
			return Family{}, fmt.Errorf("ctrl: family message, attribute %d: %w", a.Type(), err)
		}
	}
	if f.Name == "" || f.ID == 0 {
		return Family{}, fmt.Errorf("%w: no name or no id", ErrNotFamily)
	}
	return f, nil
}
