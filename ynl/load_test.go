package ynl

import (
	"os"
	"testing"
)

func TestLoadAll(t *testing.T) {
	specs, err := LoadDir(os.Getenv("NLWIRE_SPECS"))
	if err != nil {
		t.Fatal(err)
	}
	var n [12]int
	for _, s := range specs {
		for _, w := range s.Warnings {
			t.Error(w)
		}
		n[0] += len(s.Sets)
		for _, x := range s.Sets {
			n[1] += len(x.Attrs)
			if x.Parent != nil {
				n[10]++
			}
		}
		n[2] += len(s.Ops)
		n[3] += len(s.Structs)
		for _, x := range s.Enums {
			if x.Flags {
				n[4]++
			} else {
				n[5]++
			}
		}
		n[6] += len(s.SubMessages)
		for _, x := range s.SubMessages {
			n[7] += len(x.Formats)
		}
		n[8] += len(s.Groups)
		for _, x := range s.Structs {
			n[9] += len(x.Members)
		}
	}
	t.Log(len(specs), n)
}
