package ynl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/ynl"
)

// count adds the definitions of a spec to an inventory.
func count(n map[string]int, s *ynl.Spec) {
	n["families"]++
	n["levels of "+s.Level.String()]++
	n["sets"] += len(s.Sets)
	for _, x := range s.Sets {
		n["attributes"] += len(x.Attrs)
		if x.Parent != nil {
			n["subsets"]++
			n["attributes of subsets"] += len(x.Attrs)
			continue
		}
		for _, a := range x.Attrs {
			n["type "+a.Type.String()]++
		}
	}
	for _, o := range s.Ops {
		n["operations"]++
		add(n, "do", o.Do != nil)
		add(n, "dump", o.Dump != nil)
		add(n, "notify", o.Notify != nil)
		add(n, "event", o.Event != nil)
	}
	n["structs"] += len(s.Structs)
	for _, x := range s.Structs {
		n["members"] += len(x.Members)
	}
	for _, e := range s.Enums {
		kind := "enums"
		if e.Flags {
			kind = "flags"
		}
		n[kind]++
		n["entries of "+kind] += len(e.Entries)
	}
	n["constants"] += len(s.Consts)
	n["sub-messages"] += len(s.SubMessages)
	for _, m := range s.SubMessages {
		n["formats"] += len(m.Formats)
	}
	n["groups"] += len(s.Groups)
}

func add(n map[string]int, name string, yes bool) {
	if yes {
		n[name]++
	}
}

// inventory has the totals of the specs of Linux 7.3.4, counted by another program.
var inventory = map[string]int{
	"families": 33, "levels of genetlink": 12, "levels of genetlink-legacy": 13, "levels of netlink-raw": 8,
	"sets": 414, "subsets": 58, "attributes": 3349, "attributes of subsets": 207,
	"operations": 340, "do": 264, "dump": 103, "notify": 47, "event": 11,
	"structs": 125, "members": 591, "enums": 97, "entries of enums": 733, "flags": 44, "entries of flags": 264,
	"constants": 16, "sub-messages": 7, "formats": 116, "groups": 36,
	"type u32": 1005, "type binary": 511, "type nest": 325, "type u8": 316, "type u16": 188, "type u64": 175,
	"type flag": 151, "type string": 124, "type uint": 112, "type unused": 76, "type pad": 70, "type s32": 33,
	"type indexed-array": 24, "type bitfield32": 9, "type s64": 9, "type sub-message": 8, "type sint": 2,
	"type nest-type-value": 2, "type s8": 1, "type s16": 1,
}

func checkInventory(t *testing.T, got map[string]int) {
	t.Helper()
	for name, want := range inventory {
		if got[name] != want {
			t.Errorf("%s: %d, want %d", name, got[name], want)
		}
	}
	for name, n := range got {
		if _, ok := inventory[name]; !ok {
			t.Errorf("%s: %d, want none", name, n)
		}
	}
}

// TestTables compares the built-in tables with the inventory, and checks that they are the same
// after reading and writing.
func TestTables(t *testing.T) {
	files, err := filepath.Glob("table/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ynl.ParseTable(file, string(text))
		if err != nil {
			t.Fatal(err)
		}
		count(n, s)
		if again := string(ynl.AppendTable(nil, s)); !strings.HasSuffix(string(text), again) {
			t.Errorf("%s: differs after reading and writing", file)
		}
	}
	checkInventory(t, n)
}

// TestSpecs loads the specs of Linux 7.3.4 without errors and warnings, and compares their tables with
// the built-in ones.
func TestSpecs(t *testing.T) {
	specs := loadSpecs(t)
	n := map[string]int{}
	for _, s := range specs {
		count(n, s)
		for _, w := range s.Warnings {
			t.Error(w)
		}
		text, err := os.ReadFile("table/" + s.Name + ".txt")
		if err != nil {
			t.Error(err)
		}
		if !strings.HasSuffix(string(text), "\n"+string(ynl.AppendTable(nil, s))) {
			t.Errorf("table/%s.txt is not the one of the spec: run go generate", s.Name)
		}
	}
	checkInventory(t, n)
}

// TestOtherSpecs loads the specs of other releases of Linux, from the directories of
// $NLWIRE_OTHER_SPECS, and logs their warnings. Their tables are the same after reading and
// writing.
func TestOtherSpecs(t *testing.T) {
	dirs := os.Getenv("NLWIRE_OTHER_SPECS")
	if dirs == "" {
		t.Skip("NLWIRE_OTHER_SPECS is not set: want directories of specs of other releases of Linux")
	}
	loaded := 0
	for _, dir := range filepath.SplitList(dirs) {
		specs, err := ynl.LoadDir(dir)
		if err != nil || len(specs) == 0 {
			t.Fatalf("%s: %d specs, %v", dir, len(specs), err)
		}
		for _, s := range specs {
			for _, w := range s.Warnings {
				t.Log(w)
			}
			text := string(ynl.AppendTable(nil, s))
			again, err := ynl.ParseTable(s.Name, text)
			if err != nil {
				t.Fatal(err)
			}
			if string(ynl.AppendTable(nil, again)) != text {
				t.Errorf("%s: differs as a table", s.Name)
			}
		}
		loaded += len(specs)
	}
	fmt.Printf("specs: directories=%d loaded=%d\n", len(filepath.SplitList(dirs)), loaded)
}

// loadSpecs returns the specs in the directory $NLWIRE_SPECS.
func loadSpecs(t testing.TB) []*ynl.Spec {
	t.Helper()
	dir := os.Getenv("NLWIRE_SPECS")
	if dir == "" {
		t.Skip("NLWIRE_SPECS is not set: want the directory of the specs of Linux " + ynl.LinuxRelease)
	}
	specs, err := ynl.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return specs
}

// TestBuiltin loads every built-in family with its overlay.
func TestBuiltin(t *testing.T) {
	for _, name := range ynl.BuiltinNames() {
		s, err := ynl.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != name {
			t.Errorf("family %q is in the file of %q", s.Name, name)
		}
	}
	if _, err := ynl.Builtin("nothing"); err == nil {
		t.Error("a family without a table was found")
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for _, name := range []string{"tc", "ethtool", "nlctrl"} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if _, err := ynl.Builtin(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := os.Getenv("NLWIRE_SPECS")
	if dir == "" {
		b.Skip("NLWIRE_SPECS is not set")
	}
	for _, name := range []string{"tc", "ethtool", "nlctrl"} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if _, err := ynl.Load(filepath.Join(dir, name+".yaml")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
