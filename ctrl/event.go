package ctrl

import (
	"context"
	"fmt"
	"iter"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
)

// Event is a change that the controller reports (genl_ctrl_event): a family or one of its
// groups was registered or removed.
type Event struct {
	// Cmd is genlmsg.CtrlCmdNewFamily, CtrlCmdDelFamily,
	// CtrlCmdNewMulticastGroup or CtrlCmdDelMulticastGroup.
	Cmd uint8
	// Family is complete in events of families. In events of groups it has the name, the
	// id, and the group in Groups.
	Family Family
}

// String describes the change: "new family foo, id 30". Names with a space or
// unprintable bytes are quoted.
func (e Event) String() string {
	switch e.Cmd {
	case genlmsg.CtrlCmdNewFamily:
		return fmt.Sprintf("new family %s, id %d", quote(e.Family.Name), e.Family.ID)
	case genlmsg.CtrlCmdDelFamily:
		return fmt.Sprintf("family %s, id %d, is gone", quote(e.Family.Name), e.Family.ID)
	}
	what := "new group"
	if e.Cmd == genlmsg.CtrlCmdDelMulticastGroup {
		what = "removed group"
	}
	for _, g := range e.Family.Groups {
		what += fmt.Sprintf(" %s, id %d,", quote(g.Name), g.ID)
	}
	return what + " of family " + quote(e.Family.Name)
}

// ParseEvent decodes a notification of the controller. It returns ErrNotFamily for any
// other message.
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
		err = e.Family.parse(genlmsg.Attrs(m, 0))
	default:
		err = ErrNotFamily
	}
	if err != nil {
		return Event{}, err
	}
	return e, nil
}

// Watch ranges over the changes from now on and waits for each. Families that already exist
// cause no event. A *conn.LossError means that events were lost: list the families again.
// The loop continues after it, and after a malformed notification. Any other error ends the
// loop, including that of ctx.
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

// notifyGroup is the controller's group "notify". Its number is the controller's id
// (GENL_ID_CTRL, genl_allocate_reserve_groups).
const notifyGroup = genlmsg.IDCtrl
