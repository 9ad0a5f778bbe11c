package ynl

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
)

func TestDecVectors(t *testing.T) {
	f, err := os.Open("/tmp/ynlw/v.jsonl")
	if err != nil {
		t.Skip()
	}
	specs := map[string]*Spec{}
	files, _ := filepath.Glob(os.Getenv("NLWIRE_SPECS") + "/*.yaml")
	for _, x := range files {
		s, err := Load(x)
		if err != nil {
			t.Fatal(err)
		}
		b := filepath.Base(x)
		specs[b[:len(b)-5]] = s
	}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<26)
	n, ok, eok := 0, 0, 0
	for sc.Scan() {
		var v struct {
			Spec, Op, Hex string
			Vals, Dec     json.RawMessage
		}
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		n++
		msg, _ := hex.DecodeString(v.Hex)
		s := specs[v.Spec]
		op := s.Op(v.Op)
		if op.Request != s.Number(msg) {
			t.Errorf("%s %s: number %d want %d", v.Spec, v.Op, op.Request, s.Number(msg))
		}
		val, err := ParseJSON(v.Vals)
		if err != nil {
			t.Fatal(err)
		}
		h := Header{Type: nlmsg.Msg(msg).Type(), Version: 1, Flags: nlmsg.FlagAck, Seq: 1}
		enc, err := s.AppendRequest(nil, op, val, h)
		if err != nil {
			t.Errorf("%s: %v", v.Spec, err)
		} else if bytes.Equal(enc, msg) {
			eok++
		} else {
			e := s.DecodeOp(enc, op)
			g := e.AppendJSON(nil)
			if true {
				i := 0
				for i < len(g) && i < len(v.Dec) && g[i] == v.Dec[i] {
					i++
				}
				i = max(0, i-40)
				t.Errorf("%s %s enc\n got %.300s\nwant %.300s", v.Spec, v.Op, g[min(i, len(g)):], v.Dec[min(i, len(v.Dec)):])
			}
		}
		m := s.DecodeOp(nlmsg.Msg(msg), op)
		got := m.AppendJSON(nil)
		if bytes.Equal(got, v.Dec) {
			ok++
			continue
		}
		if n-ok < 6 {
			i := 0
			for i < len(got) && i < len(v.Dec) && got[i] == v.Dec[i] {
				i++
			}
			i = max(0, i-40)
			t.Errorf("%s %s\n got %.300s\nwant %.300s", v.Spec, v.Op, got[min(i, len(got)):], v.Dec[min(i, len(v.Dec)):])
		}
	}
	t.Log(n, ok, eok)
}
