package exercise_test

import (
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/internal/test/exercise"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/moduletest"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// The module nlw_exercise and the bus reply to 20,000 requests with the same bytes.
func TestModule(t *testing.T) {
	var p *policy.Policy
	family := func(b *bus.Bus) *bus.Family { p = exercise.Policy(b.Features()); return exercise.New(b) }
	moduletest.Kernel(t, exercise.Name, family, func(g generate.Generator, id nlmsg.Type, seq uint32) ([]byte, time.Duration) {
		return exercise.Request(g, p, id, seq)
	})
}
