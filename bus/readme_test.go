package bus_test

import (
	"os"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// greeter makes the bus with the family of the README.
func greeter() (*bus.Bus, *bus.Port, error) {
	b := bus.New()
	err := b.Register(&bus.Family{
		Name: "greeter", Version: 1,
		Ops: []bus.Op{{
			Cmd: 1, Policy: &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindNULString, Len: 32}}},
			Do: func(i *bus.Info) error {
				if err := i.Require(1); err != nil {
					return err // EINVAL, and which attribute is missing
				}
				return i.Reply(nla.AppendCString(i.Begin(1), 1, "hello "+string(i.Attrs.Text(1))))
			},
		}},
	})
	if err != nil {
		return b, nil, err
	}
	port, err := b.Open()
	return b, port, err
}

// The code of the README is equal to greeter, and its family can be registered.
func TestReadmeFamily(t *testing.T) {
	b, _, err := greeter()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(readme), "err := b.Register(&bus.Family{\n")
	code, _, ok := strings.Cut(code, "\n})\n")
	if code = "\t" + strings.ReplaceAll(code, "\n", "\n\t"); !ok || !strings.Contains(string(source), code) {
		t.Errorf("the README does not contain the family of the test:\n%s", code)
	}
}
