package input

import (
	"strings"
	"testing"

	"github.com/nlwire/nlwire/socket"
)

// TestWrongBracket reads calls that end with a bracket of another kind than they began with.
func TestWrongBracket(t *testing.T) {
	for _, text := range []string{
		"sendto(3, ], 5, 0) = 5",
		"sendto(3, }, 5, 0) = 5",
		"sendto(3, [1, 2), 5, 0) = 5",
		"sendto(3, {a=1], 5, 0) = 5",
		"sendto(3, [{nlmsg_len=20}, ), 5, 0) = 5",
	} {
		var err error
		for _, e := range New(strings.NewReader(text+"\n"), socket.Generic).All() {
			err = e
		}
		if err == nil || !strings.Contains(err.Error(), errTrace.Error()) {
			t.Errorf("%s: error %v, want %v", text, err, errTrace)
		}
	}
}
