package input

import (
	"errors"
	"testing"
)

// TestWrongBracket reads calls that end with a bracket of another kind than they began with.
func TestWrongBracket(t *testing.T) {
	for _, text := range []string{
		"3, ], 5, 0) = 5",
		"3, }, 5, 0) = 5",
		"3, [1, 2), 5, 0) = 5",
		"3, {a=1], 5, 0) = 5",
		"3, [{nlmsg_len=20}, ), 5, 0) = 5",
	} {
		if _, _, err := parseCall(text); !errors.Is(err, errTrace) {
			t.Errorf("%s: error %v, want %v", text, err, errTrace)
		}
	}
}
