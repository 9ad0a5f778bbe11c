package input

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/nlwire/nlwire/socket"
)

func TestAll(t *testing.T) {
	files, _ := filepath.Glob("testdata/*")
	for _, f := range files {
		in, _ := os.Open(f)
		n := 0
		for d, err := range New(in, socket.Generic).All() {
			if err != nil {
				fmt.Println(filepath.Base(f), "ERR", err)
				break
			}
			n++
			if n < 5 {
				fmt.Printf("%-20s %v %d %.24x miss=%d %s\n", filepath.Base(f), d.Protocol, len(d.Data), d.Data, d.Missing, d.Problem)
			}
		}
		in.Close()
	}
}
