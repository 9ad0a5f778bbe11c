package ynl_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// vector is a request of the kernel's own Python implementation: the values, the message in hex, and
// the values that it decodes from the message.
type vector struct {
	Spec, Op, Hex string
	Vals, Dec     json.RawMessage
}

// TestVectors decodes and encodes the messages of the other implementation. The file in testdata has
// a message for most operations; $NLWIRE_VECTORS selects another file.
func TestVectors(t *testing.T) {
	file := "testdata/requests.jsonl.xz"
	if f := os.Getenv("NLWIRE_VECTORS"); f != "" {
		file = f
	}
	var messages, decoded, encoded, exceptions int
	specs := map[string]*ynl.Spec{}
	for _, v := range readVectors(t, file) {
		messages++
		s := specOfFile(t, specs, v.Spec)
		op := s.Op(v.Op)
		want, err := hex.DecodeString(v.Hex)
		if err != nil || op == nil {
			t.Fatalf("%s %s: operation %v, %v", v.Spec, v.Op, op, err)
		}
		if v.decodes(t, s, op, want) {
			decoded++
		}
		switch v.encodes(t, s, op, want) {
		case same:
			encoded++
		case excepted:
			exceptions++
		}
	}
	fmt.Printf("vectors: messages=%d decoded=%d encoded=%d exceptions=%d\n", messages, decoded, encoded, exceptions)
	if decoded != messages || encoded+exceptions != messages || exceptions*100 > messages*4 || messages == 0 {
		t.Errorf("want all messages decoded, and encoded except for at most 4 %%")
	}
}

// readVectors reads a file of vectors.
func readVectors(t testing.TB, name string) []vector {
	t.Helper()
	return readLines[vector](t, name)
}

// readLines reads a file of JSON lines, which may be compressed.
func readLines[T any](t testing.TB, name string) []T {
	t.Helper()
	var list []T
	d := json.NewDecoder(bytes.NewReader(unpack(t, name)))
	for {
		var v T
		if err := d.Decode(&v); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
}

// unpack returns the content of a file, decompressed.
func unpack(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	switch {
	case strings.HasSuffix(name, ".xz"):
		r, err = xz.NewReader(r)
	case strings.HasSuffix(name, ".gz"):
		r, err = gzip.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// specOfFile returns the table of a spec by the name of its file. It excludes the overlay, because
// the other implementation has none.
func specOfFile(t *testing.T, specs map[string]*ynl.Spec, file string) *ynl.Spec {
	t.Helper()
	if s := specs[file]; s != nil {
		return s
	}
	for _, name := range []string{file, strings.ReplaceAll(file, "_", "-"), strings.TrimSuffix(file, "_cache")} {
		text, err := os.ReadFile("table/" + name + ".txt")
		if err != nil {
			continue
		}
		s, err := ynl.ParseTable(name, string(text))
		if err != nil {
			t.Fatal(err)
		}
		specs[file] = s
		return s
	}
	t.Fatalf("no table of %s", file)
	return nil
}

// decodes reports whether the message decodes to the JSON of the other
// implementation, byte for byte.
func (v *vector) decodes(t *testing.T, s *ynl.Spec, op *ynl.Op, b []byte) bool {
	t.Helper()
	if byNumber := s.OpByRequest(s.Number(b)); byNumber == nil || byNumber.Request != op.Request {
		t.Errorf("%s %s: the number of the message is not that of the operation", v.Spec, v.Op)
	}
	m := s.DecodeOp(b, op)
	got := m.AppendJSON(nil)
	if bytes.Equal(got, v.Dec) {
		return true
	}
	t.Errorf("%s %s: decoded\n%s\nwant\n%s", v.Spec, v.Op, got, v.Dec)
	return false
}

type outcome int

const (
	different outcome = iota
	same
	excepted
)

// encodes compares the encoded values with the message of the other implementation. It also encodes
// the decoded values.
func (v *vector) encodes(t *testing.T, s *ynl.Spec, op *ynl.Op, want []byte) outcome {
	t.Helper()
	values, err := ynl.ParseJSON(v.Vals)
	if err != nil {
		t.Fatal(err)
	}
	h := ynl.RequestHeader{Type: nlmsg.Msg(want).Type(), Version: 1, Flags: nlmsg.FlagAck, Seq: nlmsg.Msg(want).Seq()}
	got, err := s.AppendRequest(nil, op, values, h)
	if err != nil {
		t.Error(err)
		return different
	}
	v.repeats(t, s, op, h)
	if bytes.Equal(got, want) {
		return same
	}
	if reason := exception(v.Spec, values); reason != "" {
		t.Logf("%s %s: %s", v.Spec, v.Op, reason)
		return excepted
	}
	t.Errorf("%s %s: encoded\n%x\nwant\n%x", v.Spec, v.Op, got, want)
	return different
}

// repeats encodes the decoded values and checks that the message decodes to the same values.
func (v *vector) repeats(t *testing.T, s *ynl.Spec, op *ynl.Op, h ynl.RequestHeader) {
	t.Helper()
	values, err := ynl.ParseJSON(v.Dec)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.AppendRequest(nil, op, values, h)
	if err != nil {
		t.Errorf("what was decoded: %v", err)
		return
	}
	m := s.DecodeOp(b, op)
	if got := m.AppendJSON(nil); !bytes.Equal(got, v.Dec) {
		t.Errorf("%s %s: decoded again\n%s\nwant\n%s", v.Spec, v.Op, got, v.Dec)
	}
}

// exceptions are the attributes whose encoding differs, with the reason.
var exceptions = []struct{ spec, attr, reason string }{
	{"nfsd", "xprtsec", "an attribute that repeats and is a set of flags: the other implementation writes a list of two flags as two attributes, which do not decode to the values given"},
}

// exception returns the reason for another encoding of the values, or "".
func exception(spec string, v ynl.Value) string {
	for _, e := range exceptions {
		if e.spec == spec && hasListOfLists(v, e.attr, false) {
			return e.attr + ": " + e.reason
		}
	}
	return ""
}

// hasListOfLists reports whether an attribute is a list with a list of several
// elements in it.
func hasListOfLists(v ynl.Value, attr string, inside bool) bool {
	for _, item := range v.Items {
		if inside && len(item.Items) > 1 || hasListOfLists(item, attr, false) {
			return true
		}
	}
	for _, p := range v.Pairs {
		if hasListOfLists(p.Value, attr, p.Name == attr) {
			return true
		}
	}
	return false
}
