package kerneltest

import (
	"os"
	"strconv"
	"testing"
)

// Environment returns the number in an environment variable, or otherwise if it is not set. Such
// variables set the length or the seed of a test.
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
