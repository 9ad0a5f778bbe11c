package nl

import (
	"testing"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

func check(tb testing.TB, err error) {
	if err != nil {
		tb.Helper()
		tb.Fatal(err)
	}
}
