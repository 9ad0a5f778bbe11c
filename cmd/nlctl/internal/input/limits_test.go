package input

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/socket"
)

// lastError reads a text and returns the error at its end, and the size of its datagrams.
func lastError(text string) (size int, err error) {
	for d, e := range New(strings.NewReader(text), socket.Generic).All() {
		size, err = size+len(d.Data), e
	}
	return size, err
}

// TestLongRow reads a dump with a line of 200,000 bytes, in which any number may be the
// first one of the text after the bytes.
func TestLongRow(t *testing.T) {
	start := time.Now()
	_, err := lastError("0000  " + strings.Repeat("00 ", 200_000))
	if err == nil || !strings.Contains(err.Error(), "ambiguous") {
		t.Errorf("error %v, want an ambiguous text", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v: the time is not linear in the length of the line", took)
	}
}

// TestRepeatedRows reads datagrams of a dump whose repeated lines are 8 MB each.
func TestRepeatedRows(t *testing.T) {
	size, err := lastError(strings.Repeat("00000000"+strings.Repeat(" 00", 16)+"\n*\n007ffff0 00\n", 100))
	if err == nil || !strings.Contains(err.Error(), "repeats more than 8 MiB") {
		t.Errorf("error %v, want a limit of the repeated bytes", err)
	}
	if size > MaxPlain {
		t.Errorf("%d bytes", size)
	}
}

// TestInterruptedCalls reads calls that are interrupted again and again, and many
// interrupted calls that never return.
func TestInterruptedCalls(t *testing.T) {
	again := strings.Repeat("<... sendto resumed> "+strings.Repeat("x", 10_000)+" <unfinished ...>\n", 200)
	var many strings.Builder
	for pid := range 1<<16 + 1 {
		fmt.Fprintf(&many, "%d sendto(3 <unfinished ...>\n", pid)
	}
	for name, text := range map[string]string{"again": again, "many": many.String()} {
		if _, err := lastError(text); err == nil || !strings.Contains(err.Error(), "too many interrupted calls") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
