package nla

import (
	"fmt"
	"testing"
)

// BenchmarkAppendBytes appends payloads to a buffer with enough capacity: short ones, such as
// names and addresses, and longer ones.
func BenchmarkAppendBytes(b *testing.B) {
	for _, n := range []int{0, 1, 4, 6, 8, 16, 17, 24, 32, 33, 48, 64, 128, 256, 1024} {
		payload := make([]byte, n)
		text := string(payload)
		buf := make([]byte, 0, Size(n)+8)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				sinkBytes = AppendBytes(buf, 1, payload)
			}
		})
		b.Run(fmt.Sprint(n, "-cstring"), func(b *testing.B) {
			for b.Loop() {
				sinkBytes = AppendCString(buf, 1, text)
			}
		})
	}
}
