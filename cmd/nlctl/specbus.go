package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/literal"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// registerSpecs registers the families of specs on a bus, and reports the warnings of the specs.
func registerSpecs(b *bus.Bus, paths []string, repliesFile string, warn func(error)) error {
	var specs []*ynl.Spec
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			s, err := ynl.Load(path)
			if err != nil {
				return err
			}
			specs = append(specs, s)
			continue
		}
		all, err := ynl.LoadDir(path)
		if err != nil {
			return err
		}
		for _, s := range all {
			if s.Protocol == ynl.GenericProtocol && s.Name != genlmsg.CtrlName {
				specs = append(specs, s)
			}
		}
	}
	canned, err := readReplies(repliesFile)
	if err != nil {
		return err
	}
	for _, s := range specs {
		for _, w := range s.Warnings {
			warn(w)
		}
		f, err := newSpecFamily(s, canned)
		if err != nil {
			return err
		}
		if err := b.Register(f); err != nil {
			return fmt.Errorf("family %s: %w", s.Name, err)
		}
	}
	for name := range canned {
		return fmt.Errorf("-replies: no family has the operation %q", name)
	}
	return nil
}

// readReplies reads the file of -replies: values by operation.
func readReplies(file string) (map[string]json.RawMessage, error) {
	if file == "" {
		return nil, nil
	}
	text, err := readLimited(file, maxReplies)
	if err != nil {
		return nil, err
	}
	var canned map[string]json.RawMessage
	if err := json.Unmarshal(text, &canned); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%s: malformed JSON at byte %d", file, syntax.Offset)
		}
		return nil, fmt.Errorf("%s: the file must contain an object of JSON, with an operation for each key", file)
	}
	return canned, nil
}

// maxReplies limits the size of the file of -replies.
const maxReplies = 64 << 20

// readLimited reads a file of at most limit bytes.
func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s: more than %d bytes", file, limit)
	}
	return text, err
}

// newSpecFamily makes a family of a bus from a spec. It removes the replies that it uses
// from canned.
func newSpecFamily(s *ynl.Spec, canned map[string]json.RawMessage) (*bus.Family, error) {
	if s.Protocol != ynl.GenericProtocol {
		return nil, fmt.Errorf("%s is not a Generic Netlink family; a bus has no others", s.Name)
	}
	f := &bus.Family{Name: s.Name, Version: s.Version, NetNSOK: true}
	for _, g := range s.Groups {
		f.Groups = append(f.Groups, bus.Group{Name: g.Name})
	}
	for _, op := range s.Ops {
		if op.IsReserved() || op.Async || op.Request == ynl.NoNumber {
			continue
		}
		f.HdrSize = max(f.HdrSize, op.HeaderLen())
		o, err := newSpecOp(s, op, canned[op.Name])
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", s.Name, op.Name, err)
		}
		delete(canned, op.Name)
		f.SplitOps = append(f.SplitOps, o...)
	}
	slices.SortStableFunc(f.SplitOps, func(a, b bus.SplitOp) int { return int(a.Cmd) - int(b.Cmd) })
	return f, nil
}

// newSpecOp makes the do and the dump of an operation.
func newSpecOp(s *ynl.Spec, op *ynl.Op, canned json.RawMessage) ([]bus.SplitOp, error) {
	var list []bus.SplitOp
	for _, m := range []struct {
		mode *ynl.Mode
		flag genlmsg.OpFlags
	}{{op.Do, genlmsg.OpDo}, {op.Dump, genlmsg.OpDump}} {
		if m.mode == nil {
			continue
		}
		replies, err := newReplies(s, op, m.mode, canned)
		if err != nil {
			return nil, err
		}
		split := bus.SplitOp{Cmd: uint8(op.Request), Flags: m.flag, Policy: modePolicy(op.Set, m.mode)}
		if m.flag == genlmsg.OpDo {
			split.Do = replies.do
		} else {
			split.Dump = replies.dump
		}
		list = append(list, split)
	}
	return list, nil
}

// modePolicy returns the policy of a request: the rules of the attributes that the spec
// lists for it.
func modePolicy(set *ynl.Set, m *ynl.Mode) *policy.Policy {
	if set == nil {
		return nil
	}
	all := set.Policy()
	p := &policy.Policy{}
	for _, name := range m.Request {
		a := set.Attr(name)
		if a == nil || int(a.Value) >= len(all.Attrs) {
			continue // a member of the header
		}
		if missing := int(a.Value) + 1 - len(p.Attrs); missing > 0 {
			p.Attrs = append(p.Attrs, make([]policy.Rule, missing)...)
		}
		p.Attrs[a.Value] = all.Attrs[a.Value]
	}
	return p
}

// specReplies are the replies of an operation.
type specReplies struct {
	cmd    uint8
	header int      // length of the family's header, with padding
	bodies [][]byte // the header and attributes of each reply
	errno  errno.Errno
	text   string
}

// newReplies makes the replies of an operation: those of the file, or one with sample
// values.
func newReplies(s *ynl.Spec, op *ynl.Op, m *ynl.Mode, canned json.RawMessage) (*specReplies, error) {
	r := &specReplies{cmd: uint8(op.Request), header: op.HeaderLen()}
	if m.HasReply && m.ReplyNumber != ynl.NoNumber {
		r.cmd = uint8(m.ReplyNumber)
	}
	values := []ynl.Value{sample(op.Set, m.Reply, 0)}
	if canned != nil {
		v, err := parseJSON(canned)
		if err != nil {
			return nil, err
		}
		if done, err := r.setError(v); done || err != nil {
			return r, err
		}
		values = []ynl.Value{v}
		if v.Kind == ynl.KindList {
			values = v.Items
		}
	} else if !m.HasReply {
		return r, nil
	}
	for _, v := range values {
		payload, headers, err := s.AppendPayload(nil, op, v, 0)
		if err != nil {
			return nil, err
		}
		r.bodies = append(r.bodies, payload[headers-r.header:])
	}
	return r, nil
}

// setError reads {"errno": N, "message": TEXT}. It reports whether v is such an object.
func (r *specReplies) setError(v ynl.Value) (bool, error) {
	number, ok := v.Get("errno")
	if !ok {
		return false, nil
	}
	n, err := literal.Uint(number.Text, 12)
	if err != nil || n == 0 {
		return false, fmt.Errorf("errno %q is not a number from 1 to 4095", number.Text)
	}
	text, _ := v.Get("message")
	r.errno, r.text = errno.Errno(n), text.Text
	return true, nil
}

// append appends a reply to its headers. The bus has appended zeros for the family's header.
func (r *specReplies) append(b, body []byte) []byte {
	copy(b[len(b)-r.header:], body)
	return append(b, body[r.header:]...)
}

func (r *specReplies) do(i *bus.Info) error {
	if r.errno != 0 {
		i.SetMsg(r.text)
		return r.errno
	}
	for _, body := range r.bodies[:min(1, len(r.bodies))] { // the others are for the dump
		if err := i.Reply(r.append(i.Begin(r.cmd), body)); err != nil {
			return err
		}
	}
	return nil
}

func (r *specReplies) dump(d *bus.Dump) error {
	if r.errno != 0 {
		d.SetMsg(r.text)
		return r.errno
	}
	for ; d.Args[0] < len(r.bodies); d.Args[0]++ {
		if err := d.End(r.append(d.Begin(nlmsg.FlagMulti, r.cmd), r.bodies[d.Args[0]])); err != nil {
			return err
		}
	}
	return nil
}
