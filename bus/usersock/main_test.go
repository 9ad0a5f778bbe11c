package usersock

import (
	"testing"

	"github.com/nlwire/nlwire/internal/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }
