package nlmsg

import (
	"testing"

	"github.com/nlwire/nlwire/internal/test/golden"
)

// BenchmarkSplit splits recorded datagrams into messages.
func BenchmarkSplit(b *testing.B) {
	for _, name := range []string{"families", "links", "routes"} {
		datagrams := golden.Datagrams(b, name)
		var messages int
		for _, d := range datagrams {
			for range All(d) {
				messages++
			}
		}
		for _, split := range []struct {
			name string
			f    func([]byte) uint64
		}{{"consume", splitByConsume}, {"all", splitByAll}, {"walk", splitByWalk}} {
			b.Run(name+"/"+split.name, func(b *testing.B) {
				b.ReportAllocs()
				var sum uint64
				for b.Loop() {
					for _, d := range datagrams {
						sum += split.f(d)
					}
				}
				sinkU32 = uint32(sum)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(messages), "ns/msg")
			})
		}
	}
}

func splitByConsume(b []byte) (sum uint64) {
	for len(b) > 0 {
		m, n := Consume(b)
		if n < 0 {
			break
		}
		b = b[n:]
		sum += uint64(m.Type()) + uint64(len(m.Payload()))
	}
	return sum
}

func splitByAll(b []byte) (sum uint64) {
	for m, err := range All(b) {
		if err != nil {
			break
		}
		sum += uint64(m.Type()) + uint64(len(m.Payload()))
	}
	return sum
}

func splitByWalk(b []byte) (sum uint64) {
	for c := Walk(b); c.More(); c = c.Next() {
		sum += uint64(c.Type()) + uint64(len(c.Msg().Payload()))
	}
	return sum
}

// BenchmarkParseAck reads an error with every extended ACK attribute, and an acknowledgement.
func BenchmarkParseAck(b *testing.B) {
	for name, m := range map[string]Msg{
		"error": AppendAck(nil, answering(full(), einval, request(20)), AckOptions{PortID: 1, Ext: true}),
		"ack":   AppendAck(nil, &ExtAck{Request: request(20)}, AckOptions{PortID: 1}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkAnswer, sinkErr = ParseAck(m)
			}
		})
	}
}

func BenchmarkAppendAck(b *testing.B) {
	buf := make([]byte, 0, 256)
	ext := answering(full(), einval, request(20))
	b.ReportAllocs()
	for b.Loop() {
		sinkBytes = AppendAck(buf[:0], ext, AckOptions{PortID: 1, Ext: true})
	}
}
