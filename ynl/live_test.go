package ynl_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// liveRecord is an operation of the kernel's own Python implementation: its values, the request and
// the replies in hex, and the JSON that it printed.
type liveRecord struct {
	Spec, Op, Mode, Request string
	Vals, JSON              json.RawMessage
	Raw                     []string
}

// TestLive compares requests and decoded replies with those of the kernel's own Python
// implementation on a live kernel. If $NLWIRE_PYYNL is tools/net/ynl of a kernel tree and
// $NLWIRE_SPECS the directory of its specs, that implementation runs in a new network namespace,
// which requires root. Otherwise the test reads a recording. Both implementations decode the same
// bytes, so that changes between two dumps make no difference.
func TestLive(t *testing.T) {
	specs := map[string]*ynl.Spec{}
	pairs := map[string]bool{}
	values, differences := 0, 0
	for _, r := range liveRecords(t) {
		s := specOfFile(t, specs, r.Spec)
		op := s.Op(r.Op)
		differences += r.sent(t, s, op)
		got, n := r.received(t, s, op)
		if n > 0 {
			pairs[r.Spec+" "+r.Op+" "+r.Mode] = true
		}
		values += n
		if !bytes.Equal(got, r.JSON) {
			differences++
			t.Errorf("%s %s %s:\n%s\nwant\n%s", r.Spec, r.Op, r.Mode, got, r.JSON)
		}
	}
	fmt.Printf("live: pairs=%d values=%d differences=%d\n", len(pairs), values, differences)
	if len(pairs) < 69 && os.Getenv("NLWIRE_PYYNL") == "" || len(pairs) == 0 {
		t.Error("fewer operations than were recorded")
	}
}

// liveRecords runs the other implementation, or reads its records.
func liveRecords(t *testing.T) []liveRecord {
	t.Helper()
	tools, specs := os.Getenv("NLWIRE_PYYNL"), os.Getenv("NLWIRE_SPECS")
	if tools == "" || specs == "" {
		return readLines[liveRecord](t, "testdata/live.jsonl.xz")
	}
	datagrams := filepath.Join(t.TempDir(), "datagrams.txt")
	if err := os.WriteFile(datagrams, unpack(t, "testdata/datagrams.txt.xz"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("unshare", "-n", "python3", "testdata/pyynl_record.py", tools, specs, datagrams)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var list []liveRecord
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var r liveRecord
		if err := d.Decode(&r); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
}

// sent compares the encoded values with the request that was sent, and returns the number of
// differences.
func (r *liveRecord) sent(t *testing.T, s *ynl.Spec, op *ynl.Op) int {
	t.Helper()
	if r.Request == "" {
		return 0 // recorded without a request
	}
	want, err := hex.DecodeString(r.Request)
	if err != nil {
		t.Fatal(err)
	}
	values, err := ynl.ParseJSON(r.Vals)
	if err != nil {
		t.Fatal(err)
	}
	h := nlmsg.Msg(want).Header()
	got, err := s.AppendRequest(nil, op, values, ynl.RequestHeader{Type: h.Type, Version: 1, Flags: h.Flags, Seq: h.Seq})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s %s: sends %x, want %x: %v", r.Spec, r.Op, got, want, err)
		return 1
	}
	return 0
}

// received returns the JSON of the replies and the number of their values.
func (r *liveRecord) received(t *testing.T, s *ynl.Spec, op *ynl.Op) (out []byte, values int) {
	t.Helper()
	var list [][]byte
	for _, raw := range r.Raw {
		b, err := hex.DecodeString(raw)
		if err != nil {
			t.Fatal(err)
		}
		for m, err := range nlmsg.All(b) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Type() < nlmsg.MinType || s.Number(m) != op.Reply {
				continue
			}
			d := s.DecodeOp(m, op)
			paths("", d.Fields, func(string, *ynl.Field) { values++ })
			list = append(list, d.AppendJSON(nil))
		}
	}
	joined := bytes.Join(list, []byte(", "))
	switch {
	case r.Mode == "dump" || len(list) > 1:
		return fmt.Appendf(nil, "[%s]", joined), values
	case len(list) == 0:
		return []byte("null"), values
	}
	return joined, values
}
