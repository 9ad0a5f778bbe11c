package main

import (
	"bytes"
	"testing"
)

func TestGreeter(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = "hello world\n" +
		"error: conn: greeter: invalid argument: attribute 1 is missing\n" +
		"error: conn: greeter: invalid argument: Attribute failed policy validation: attribute 1: it must be nul-string of at most 32 bytes\n"
	if out.String() != want {
		t.Errorf("the program prints\n%s\nwant\n%s", &out, want)
	}
}
