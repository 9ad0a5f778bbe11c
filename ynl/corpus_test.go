package ynl_test

import (
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
	stats    map[string]*ynl.Stats
	unknown  map[string]int // what has no name or no type, with its path
	none     map[string]int // messages without a spec
}

// TestCorpus decodes the datagrams in the directories of $NLWIRE_CORPUS, whose files
// are called NUMBER-pPROTOCOL-DIRECTION-NAME.bin. Every attribute of a message type
// with a spec has a name and a type.
func TestCorpus(t *testing.T) {
	root := os.Getenv("NLWIRE_CORPUS")
	if root == "" {
		root = "testdata/corpus"
	}
	dirs, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("%s: no datagrams: %v", root, err)
	}
	lib, err := ynl.NewLibrary()
	if err != nil {
		t.Fatal(err)
	}
	total := map[string]*ynl.Stats{}
	unknown, none := map[string]int{}, map[string]int{}
	for _, dir := range dirs {
		r := recorded{lib, map[uint16][]*ynl.Spec{}, map[nlmsg.Type]string{16: "nlctrl"}, total, unknown, none}
		r.decodeDir(t, dir)
	}
	for _, name := range keys(total) {
		s := total[name]
		fmt.Printf("corpus: %-16s attributes=%d named=%d typed=%d kinds=%d rest=%d invalid=%d\n", name, s.Attributes, s.Named, s.Typed, s.Kinds, s.Rest, s.Invalid)
	}
	for _, u := range keys(unknown) {
		t.Logf("%6d %s", unknown[u], u)
	}
	for _, u := range keys(none) {
		t.Logf("%6d messages without a spec: %s", none[u], u)
	}
}

func keys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

func (r *recorded) decodeDir(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parts := strings.SplitN(filepath.Base(file), "-", 4)
		var protocol uint16
		if len(parts) < 4 || parts[2] == "nlmon" {
			continue
		}
		if _, err := fmt.Sscanf(parts[1], "p%d", &protocol); err != nil {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := ynl.Reply
		if parts[2] == "tx" {
			dir = ynl.Request
		}
		for m, err := range nlmsg.All(b) {
			if err != nil {
				break
			}
			r.message(protocol, dir, m, parts[3])
		}
	}
}

// message decodes a message and counts its attributes.
func (r *recorded) message(protocol uint16, dir ynl.Direction, m nlmsg.Msg, name string) {
	if m.Type() < nlmsg.MinType {
		return
	}
	s := r.spec(protocol, dir, m)
	if s == nil {
		r.none[fmt.Sprintf("protocol %d %s", protocol, strings.SplitN(name, ".bin", 2)[0])]++
		return
	}
	d := s.Decode(m, dir)
	if d.Op == nil {
		r.none[fmt.Sprintf("family %s %d", s.Name, d.Number)]++
		return
	}
	if s.Name == "nlctrl" {
		r.learn(&d)
	}
	st := r.stats[s.Name]
	if st == nil {
		st = &ynl.Stats{}
		r.stats[s.Name] = st
	}
	st.Add(&d)
	r.report(s.Name, d.Fields)
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
		if dir == ynl.Request && s.OpByRequest(int(m.Type())) != nil || dir == ynl.Reply && s.OpByReply(int(m.Type())) != nil {
			return s
		}
	}
	return nil
}

// learn keeps the ID of a family from the controller.
func (r *recorded) learn(m *ynl.Message) {
	id, name := m.Find("family-id"), m.Find("family-name")
	if id != nil && name != nil {
		r.families[nlmsg.Type(id.Uint())] = string(name.Bytes())
	}
}

// report counts what is not named or not typed.
func (r *recorded) report(path string, list []ynl.Field) {
	for i := range list {
		f := &list[i]
		name := path + "." + string(f.AppendName(nil))
		if f.Untyped || f.Rest > 0 {
			if f.Attr != nil && f.Attr.Type == ynl.TypeSubMessage {
				name += " (kind)"
			}
			r.unknown[fmt.Sprintf("%s len=%d rest=%d", name, len(f.Raw), f.Rest)]++
		}
		r.report(name, f.Fields)
	}
}
