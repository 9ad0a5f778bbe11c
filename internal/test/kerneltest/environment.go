package kerneltest

import (
	"os"
	"strconv"
	"testing"
)

// Environment returns the number in an environment variable, by which a test is
// made longer or takes another seed.
func Environment(tb testing.TB, name string, otherwise int) int {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	v, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return v
}
