// Package input contains the inputs of the benchmarks: datagrams, their policy and the depth of their
// nests. The Go and the C workers read them from the same file.
package input

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Set is a set of datagrams with one fixed header.
type Set struct {
	HeaderLen int           // of the family's fixed header, in bytes
	Depths    []uint32      // by type at the top level: depth of the nests in it, 0 for none
	Rules     []policy.Rule // by type at the top level: kinds and lengths
	Wanted    []uint32      // the types that are read from a table: those that occur
	Datagrams [][]byte
}

// The file contains 32-bit words in native byte order: the length of the header, then four lists.
// Each list starts with its length: the depths, the rules (kind and length), the wanted types, and
// the datagrams (length and padded bytes).
var ne = binary.NativeEndian

var errFormat = errors.New("malformed input file")

// Write writes the set to a file.
func (s *Set) Write(path string) error {
	b := ne.AppendUint32(nil, uint32(s.HeaderLen))
	b = appendWords(b, s.Depths)
	b = ne.AppendUint32(b, uint32(len(s.Rules)))
	for _, r := range s.Rules {
		b = ne.AppendUint32(ne.AppendUint32(b, uint32(r.Kind)), uint32(r.Len))
	}
	b = appendWords(b, s.Wanted)
	b = ne.AppendUint32(b, uint32(len(s.Datagrams)))
	for _, d := range s.Datagrams {
		b = append(ne.AppendUint32(b, uint32(len(d))), d...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return os.WriteFile(path, b, 0o600)
}

func appendWords(b []byte, words []uint32) []byte {
	b = ne.AppendUint32(b, uint32(len(words)))
	for _, w := range words {
		b = ne.AppendUint32(b, w)
	}
	return b
}

// Read reads a set from a file.
func Read(path string) (*Set, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func parse(b []byte) (*Set, error) {
	r := reader{b: b}
	s := &Set{HeaderLen: int(r.word())}
	s.Depths = r.words()
	for range r.word() {
		kind := policy.Kind(r.word())
		s.Rules = append(s.Rules, policy.Rule{Kind: kind, Len: uint16(r.word())})
	}
	s.Wanted = r.words()
	for range r.word() {
		s.Datagrams = append(s.Datagrams, r.bytes())
	}
	if r.failed || len(r.b) > 0 {
		return nil, errFormat
	}
	return s, nil
}

// reader reads words. After the end of the file it returns zeros and sets failed.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) word() uint32 {
	if len(r.b) < 4 {
		r.b, r.failed = nil, true
		return 0
	}
	v := ne.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) words() (all []uint32) {
	for range r.word() {
		all = append(all, r.word())
	}
	return all
}

func (r *reader) bytes() []byte {
	n := int(r.word())
	if n > len(r.b) || nla.Align(n) > len(r.b) {
		r.b, r.failed = nil, true
		return nil
	}
	b := bytes.Clone(r.b[:n])
	r.b = r.b[nla.Align(n):]
	return b
}

// Depth returns the depth of the nests in a top-level attribute.
func (s *Set) Depth(typ uint16) uint32 {
	if int(typ) < len(s.Depths) {
		return s.Depths[typ]
	}
	return 0
}

// Policy returns the rules as a compiled policy.
func (s *Set) Policy() *policy.Policy { return (&policy.Policy{Attrs: s.Rules}).Compile() }

// want sets Wanted to the types that occur at the top level and have a rule. It drops the rules after
// the last of these types, so that a table is no longer than necessary.
func (s *Set) want() *Set {
	occurs := make([]bool, len(s.Rules))
	for _, d := range s.Datagrams {
		for m := range nlmsg.All(d) {
			if m.Type() < nlmsg.MinType {
				continue
			}
			for a := range nla.All(m.Attrs(s.HeaderLen)) {
				if int(a.Type()) < len(occurs) {
					occurs[a.Type()] = true
				}
			}
		}
	}
	end := 0
	for typ, is := range occurs {
		if is {
			s.Wanted, end = append(s.Wanted, uint32(typ)), typ+1
		}
	}
	s.Rules = s.Rules[:end]
	return s
}
