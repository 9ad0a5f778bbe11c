package seeds

import (
	"encoding/binary"
	"strings"
	"testing"
)

// Every seed has a unique name, unique bytes, and a reason.
func TestSeedsAreDistinct(t *testing.T) {
	for kind, list := range map[string][]Seed{"attributes": Attributes(), "datagrams": Datagrams()} {
		if len(list) < 40 {
			t.Errorf("%s: only %d seeds", kind, len(list))
		}
		names, bytes := map[string]bool{}, map[string]string{}
		for _, s := range list {
			if s.Name == "" || s.Why == "" || strings.ContainsAny(s.Name, " \t") || names[s.Name] {
				t.Errorf("%s: %q, %q: no name, no reason, or a duplicate", kind, s.Name, s.Why)
			}
			if twin, ok := bytes[string(s.B)]; ok {
				t.Errorf("%s: %s has the same bytes as %s", kind, s.Name, twin)
			}
			names[s.Name], bytes[string(s.B)] = true, s.Name
		}
	}
}

// The recorded seeds come from three kernels and contain requests, replies and events; they are
// small.
func TestRecordedIsVaried(t *testing.T) {
	kernels, directions, protocols := map[string]int{}, map[string]int{}, map[string]int{}
	size := 0
	for _, s := range Recorded() {
		parts := strings.SplitN(s.Name, "/", 4)
		if len(parts) != 4 || len(s.B) < 16 || binary.LittleEndian.Uint32(s.B) < 4 {
			t.Fatalf("%s, %d bytes", s.Name, len(s.B))
		}
		kernels[parts[0]]++
		protocols[parts[1]]++
		directions[parts[2]]++
		size += len(s.B)
	}
	if len(kernels) != 3 || len(directions) < 3 || len(protocols) < 8 || size > 32<<10 {
		t.Errorf("kernels %v, directions %v, protocols %v, %d bytes", kernels, directions, protocols, size)
	}
}
