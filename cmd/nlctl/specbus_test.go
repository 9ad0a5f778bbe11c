package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReadLimited reads files up to the limit.
func TestReadLimited(t *testing.T) {
	file := filepath.Join(t.TempDir(), "replies.json")
	if err := os.WriteFile(file, make([]byte, 10), 0o600); err != nil {
		t.Fatal(err)
	}
	for limit, ok := range map[int64]bool{9: false, 10: true, 11: true} {
		if text, err := readLimited(file, limit); (err == nil) != ok || ok && len(text) != 10 {
			t.Errorf("limit %d: %d bytes, %v", limit, len(text), err)
		}
	}
}
