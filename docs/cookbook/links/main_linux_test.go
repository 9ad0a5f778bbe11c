package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// A new network namespace has one link.
func TestLinks(t *testing.T) {
	kerneltest.EnterNetNS(t)
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "1 lo mtu 65536 mac 00:00:00:00:00:00\n") {
		t.Errorf("links of a new namespace:\n%s", &out)
	}
}

// The program prints the same links as package net finds.
func TestLinksOfTheHost(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l.HardwareAddr == nil {
			continue // package net has none for an address of zeros
		}
		want := fmt.Sprintf("%d %s mtu %d mac %s\n", l.Index, l.Name, l.MTU, l.HardwareAddr)
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line %q in\n%s", want, &out)
		}
	}
}
