package ynl_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// recorded decodes the datagrams of one machine.
type recorded struct {
	lib      *ynl.Library
	raw      map[uint16][]*ynl.Spec
	families map[nlmsg.Type]string // Generic Netlink IDs of the machine
	*report
}

// report has the results for all machines.
type report struct {
	stats   map[string]*ynl.Stats
	untyped map[string]int // paths of attributes without a name or a type
	none    map[string]int // messages without a spec, and malformed ones
}

func newReport() *report {
	return &report{map[string]*ynl.Stats{}, map[string]int{}, map[string]int{}}
}

func newRecorded(lib *ynl.Library, all *report) *recorded {
	return &recorded{lib, map[uint16][]*ynl.Spec{}, map[nlmsg.Type]string{16: "nlctrl"}, all}
}

// datagram is a recorded datagram.
type datagram struct {
	machine  string
	protocol uint16
	dir      ynl.Direction
	label    string
	bytes    []byte
}

// TestCorpus decodes recorded datagrams and checks that every attribute of a message type with a
// spec has a name and a type. $NLWIRE_CORPUS selects another directory instead of testdata. Its
// subdirectories, one for each machine, have files NUMBER-pPROTOCOL-DIRECTION-LABEL.bin.
func TestCorpus(t *testing.T) {
	list := storedDatagrams(t)
	if root := os.Getenv("NLWIRE_CORPUS"); root != "" {
		list = datagramFiles(t, root)
	}
	lib, err := ynl.NewLibrary()
	if err != nil {
		t.Fatal(err)
	}
	all := newReport()
	machines := map[string]*recorded{}
	for _, d := range list {
		r := machines[d.machine]
		if r == nil {
			r = newRecorded(lib, all)
			machines[d.machine] = r
		}
		for m, err := range nlmsg.All(d.bytes) {
			if err != nil {
				break
			}
			r.message(d, m)
		}
	}
	all.check(t)
}

// check prints the shares and compares them with the target.
func (r *report) check(t *testing.T) {
	t.Helper()
	messages := 0
	for _, name := range keys(r.stats) {
		s := r.stats[name]
		messages += s.Attributes
		fmt.Printf("corpus: %-13s attributes=%d named=%d typed=%d kinds=%d rest=%d invalid=%d\n", name, s.Attributes, s.Named, s.Typed, s.Kinds, s.Rest, s.Invalid)
		if s.Named != s.Attributes || s.Typed+s.Kinds != s.Attributes || s.Rest+s.Invalid > 0 {
			t.Errorf("%s: attributes without a name or a type, or bytes that are not explained", name)
		}
	}
	for _, u := range keys(r.untyped) {
		t.Errorf("%d times: %s", r.untyped[u], u)
	}
	for _, u := range keys(r.none) {
		t.Logf("%6d messages are not counted: %s", r.none[u], u)
	}
	if messages == 0 {
		t.Error("no attributes were decoded")
	}
}

// malformed are the labels of requests that are malformed on purpose.
var malformed = map[string]bool{"rtnl.getaddr.strict.badhdr": true, "rtnl.setlink.shortattr": true}

// storedDatagrams returns the datagrams of testdata, where each has a line.
func storedDatagrams(t testing.TB) []datagram {
	t.Helper()
	var list []datagram
	lines := bufio.NewScanner(bytes.NewReader(unpack(t, "testdata/datagrams.txt.xz")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var d datagram
		var dir string
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %s %s %x", &d.machine, &d.protocol, &dir, &d.label, &d.bytes); err != nil {
			t.Fatal(err)
		}
		d.dir = direction(dir)
		list = append(list, d)
	}
	return list
}

func direction(name string) ynl.Direction {
	if name == "tx" {
		return ynl.Request
	}
	return ynl.Reply
}

// datagramFiles returns the datagrams of the directories in root.
func datagramFiles(t *testing.T, root string) []datagram {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*", "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no datagrams: %v", root, err)
	}
	var list []datagram
	for _, file := range files {
		parts := strings.SplitN(strings.TrimSuffix(filepath.Base(file), ".bin"), "-", 4)
		d := datagram{machine: filepath.Dir(file)}
		if len(parts) < 4 || parts[2] == "nlmon" {
			continue
		}
		if _, err := fmt.Sscanf(parts[1], "p%d", &d.protocol); err != nil {
			continue
		}
		if d.bytes, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		d.dir, d.label = direction(parts[2]), parts[3]
		list = append(list, d)
	}
	return list
}

func keys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

// message decodes a message and counts its attributes.
func (r *recorded) message(d datagram, m nlmsg.Msg) {
	if m.Type() < nlmsg.MinType {
		return
	}
	if malformed[d.label] {
		r.none["malformed on purpose "+d.label]++
		return
	}
	s := r.spec(d.protocol, d.dir, m)
	if s == nil {
		r.none[fmt.Sprintf("protocol %d %s", d.protocol, d.label)]++
		return
	}
	out := s.Decode(m, d.dir)
	if out.Op == nil {
		r.none[fmt.Sprintf("family %s %d", s.Name, out.Number)]++
		return
	}
	if s.Name == "nlctrl" {
		r.learn(&out)
	}
	st := r.stats[s.Name]
	if st == nil {
		st = &ynl.Stats{}
		r.stats[s.Name] = st
	}
	st.Add(&out)
	r.problems(d.label+" "+s.Name, out.Fields)
}

// spec returns the family of a message.
func (r *recorded) spec(protocol uint16, dir ynl.Direction, m nlmsg.Msg) *ynl.Spec {
	if protocol == ynl.GenericProtocol {
		s, err := r.lib.Family(r.families[m.Type()])
		if err != nil {
			return nil
		}
		return s
	}
	if r.raw[protocol] == nil {
		r.raw[protocol], _ = r.lib.Protocol(protocol)
	}
	for _, s := range r.raw[protocol] {
		if s.OpOf(m, dir) != nil {
			return s
		}
	}
	return nil
}

// learn stores the ID of a family from a message of the controller.
func (r *recorded) learn(m *ynl.Message) {
	id, name := m.Find("family-id"), m.Find("family-name")
	if id != nil && name != nil {
		r.families[nlmsg.Type(id.Uint())] = string(name.Bytes())
	}
}

// problems counts fields without a name or a type.
func (r *report) problems(path string, list []ynl.Field) {
	for i := range list {
		f := &list[i]
		name := path + "." + string(f.AppendName(nil))
		kind := f.Attr != nil && f.Attr.Type == ynl.TypeSubMessage // counted in Kinds
		if f.Untyped && !kind || f.Rest > 0 {
			r.untyped[fmt.Sprintf("%s: %d bytes, %d of them unknown", name, len(f.Raw), f.Rest)]++
		}
		r.problems(name, f.Fields)
	}
}
