package docexmpl_test

import (
	"bytes"
	_ "embed"
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/socket"
)

//go:embed testdata/module-6.1.hex
var recording string

// The bus sends the same bytes as a kernel module with the same family, including the
// events of its registration. The recorded module had the ID 32 and the group 9, because
// earlier families and groups used the lower numbers.
func TestModule(t *testing.T) {
	list := golden.Exchange(t, recording)
	b := bus.New(bus.WithFeatures(bus.Linux61))
	defer b.Close()
	var before []bus.Group
	for i := range 7 { // to use up the groups 2 to 8
		before = append(before, bus.Group{Name: fmt.Sprint("group", i)})
	}
	for i := range 13 { // to use up the IDs 19 to 31
		if err := b.Register(&bus.Family{Name: fmt.Sprint("before", i), Groups: before}); err != nil {
			t.Fatal(err)
		}
		before = nil
	}
	const clientID = 1
	client, err := b.Open(bus.WithPortID(clientID), bus.WithFlags(socket.ExtAck))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []uint32{16, 9} {
		if err := listener.Join(group); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Register(docexmpl.New()); err != nil {
		t.Fatal(err)
	}
	received := map[string]int{}
	buf := make([]byte, 4096)
	compare := func(p *bus.Port, d golden.Recorded) {
		t.Helper()
		n, _, err := p.TryReceive(buf)
		if err != nil || !bytes.Equal(buf[:n], d.B) {
			t.Errorf("%s %s: %v\n  bus    %x\n  module %x", d.Dir, d.Label, err, buf[:n], d.B)
		}
	}
	for _, d := range list {
		received[d.Dir]++
		switch d.Dir {
		case "tx":
			if err := client.Send(d.B); err != nil {
				t.Fatal(err)
			}
		case "rx":
			compare(client, d)
		}
	}
	for _, d := range list { // the order of events and replies is not recorded; see TestOrder
		if d.Dir == "ev" {
			compare(listener, d)
		}
	}
	if received["tx"] != 10 || received["rx"] != 17 || received["ev"] != 4 {
		t.Errorf("the recording has %v", received)
	}
	for _, p := range []*bus.Port{client, listener} {
		if _, _, err := p.TryReceive(buf); err != socket.ErrEmpty {
			t.Errorf("the bus sent more than the module: %v", err)
		}
	}
}
