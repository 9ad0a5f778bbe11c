package bus

import (
	"testing"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }
