package ynl_test

import (
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// BenchmarkDecode decodes recorded messages of all families that have a spec, and
// writes them as JSON.
func BenchmarkDecode(b *testing.B) {
	type message struct {
		spec *ynl.Spec
		op   *ynl.Op
		msg  nlmsg.Msg
	}
	lib, err := ynl.NewLibrary()
	if err != nil {
		b.Fatal(err)
	}
	var list []message
	bytes := 0
	machines := map[string]*recorded{}
	for _, d := range storedDatagrams(b) {
		r := machines[d.machine]
		if r == nil {
			r = newRecorded(lib, newReport())
			machines[d.machine] = r
		}
		for m, err := range nlmsg.All(d.bytes) {
			if err != nil || m.Type() < nlmsg.MinType {
				break
			}
			s := r.spec(d.protocol, d.dir, m)
			if s == nil {
				continue
			}
			out := s.Decode(m, d.dir)
			if s.Name == "nlctrl" {
				r.learn(&out)
			}
			list = append(list, message{s, out.Op, m})
			bytes += len(m)
		}
	}
	for _, name := range []string{"tree", "json"} {
		b.Run(name, func(b *testing.B) {
			var d ynl.Decoder
			var out []byte
			b.SetBytes(int64(bytes))
			b.ReportAllocs()
			for range b.N {
				for i := range list {
					d.Reset()
					m := d.DecodeOp(list[i].spec, list[i].msg, list[i].op)
					if name == "json" {
						out = m.AppendJSON(out[:0])
					}
				}
			}
		})
	}
}
