package seeds

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"strings"
)

//go:embed testdata/recorded.txt
var recorded []byte

// Recorded returns datagrams sent and received by kernels. A line of testdata/recorded.txt
// contains a name and the bytes in hexadecimal.
func Recorded() []Seed {
	var list []Seed
	for line := range bytes.Lines(recorded) {
		name, digits, ok := strings.Cut(strings.TrimSpace(string(line)), " ")
		if !ok || name == "#" {
			continue
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			panic("seeds: " + name + ": " + err.Error())
		}
		list = append(list, Seed{name, "recorded from Linux " + name[:strings.Index(name, "/")], b})
	}
	return list
}
