package conn

import (
	"strings"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// On a kernel the tests have all capabilities.
func TestErrorOfRequestsAndGroupsNamesTheMissingCapability(t *testing.T) {
	const errPerm = errno.EPERM
	w := newBus(t)
	c := w.openWith(t, bus.WithCaps(0))
	_, err := c.Do(t.Context(), w.request(c, nlmsg.FlagAck, cmdGuarded))
	isError(t, err, errPerm)
	if err == nil || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("error %v", err)
	}
	guarded := w.family.GroupID(groupGuarded)
	_, err = c.Subscribe(guarded)
	isError(t, err, errPerm)
	if len(c.children) != 0 {
		t.Error("the Transport is left open")
	}
	if n := count(t, w, c); n != 0 {
		t.Errorf("%d entries", n)
	}
	root := w.open(t, 0)
	if _, err := root.Do(t.Context(), w.request(root, nlmsg.FlagAck, cmdGuarded)); err != nil {
		t.Error(err)
	}
	sub, err := root.Subscribe(guarded)
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Close(); err != nil {
		t.Error(err)
	}
}
