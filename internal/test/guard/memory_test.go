package guard

import "testing"

var sink []byte

// failing is a test that only records its failure.
type failing struct {
	testing.TB
	failed bool
}

func (*failing) Helper()                 {}
func (f *failing) Fatalf(string, ...any) { f.failed = true }

func TestMemory(t *testing.T) {
	measured := make([]byte, 16)
	for _, tt := range []struct {
		name  string
		input []byte
		spend int
		want  bool
	}{
		{"too much", measured, 4096, true},
		{"as much as allowed", measured, 512, false},
		{"nothing", measured, 0, false},
		{"not measured", make([]byte, 17), 1 << 20, false},
	} {
		probe := &failing{TB: t}
		Memory(probe, tt.input, 1024, func() { sink = make([]byte, tt.spend) })
		if probe.failed != tt.want {
			t.Errorf("%s: failed %v", tt.name, probe.failed)
		}
	}
}
