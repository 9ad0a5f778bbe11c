package input

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// sets returns all inputs except the routes, which each run records.
func sets(t *testing.T) map[string]*Set {
	t.Helper()
	all := map[string]*Set{"u32": U32(), "mixed": Mixed(), "multipath": MultipathRoutes(), "rules": NFTRules(), "flows": Flows()}
	for name, f := range map[string]func() (*Set, error){"families": Families, "policy": EthtoolPolicy, "links": Links} {
		s, err := f()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
	return all
}

func TestWriteAndRead(t *testing.T) {
	for name, s := range sets(t) {
		path := filepath.Join(t.TempDir(), name)
		if err := s.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReadRefusesWhatIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set")
	s := &Set{HeaderLen: 4, Depths: []uint32{1: 2}, Rules: []policy.Rule{1: {Kind: policy.KindU8}},
		Wanted: []uint32{1}, Datagrams: [][]byte{{1, 2, 3}}}
	if err := s.Write(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := parse(whole[:n]); !errors.Is(err, errFormat) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := parse(append(whole, 0)); !errors.Is(err, errFormat) {
		t.Errorf("with one more byte: %v", err)
	}
}

// Every set must be valid for the cases: messages and attributes are well-formed, nests have the
// stated depth, and the policy accepts all attributes.
func TestSetsAreSound(t *testing.T) {
	for name, s := range sets(t) {
		attrs, p := 0, s.Policy()
		for _, d := range s.Datagrams {
			for m, err := range nlmsg.All(d) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if m.Type() < nlmsg.MinType {
					continue
				}
				if err := policy.Validate(m.Attrs(s.HeaderLen), p, policy.Liberal); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				for a, err := range nla.All(m.Attrs(s.HeaderLen)) {
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					checkNest(t, name, a, s.Depth(a.Type()))
					attrs++
				}
			}
		}
		if attrs < 90 {
			t.Errorf("%s: only %d attributes", name, attrs)
		}
	}
}

func checkNest(t *testing.T, name string, a nla.Attr, depth uint32) {
	t.Helper()
	if depth == 0 {
		return
	}
	for nested, err := range nla.All(a.Payload()) {
		if err != nil {
			t.Fatalf("%s: in attribute %d: %v", name, a.Type(), err)
		}
		checkNest(t, name, nested, depth-1)
	}
}
