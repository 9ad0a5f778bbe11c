package chart

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/nlwire/nlwire/bench/report"
)

func TestDraw(t *testing.T) {
	dir := t.TempDir()
	rows := []report.Row{
		{Case: "decode", Input: "a", Column: "nlwire", NsOp: 100, NsAttr: 2},
		{Case: "decode", Input: "a", Column: "libmnl", NsOp: 400, NsAttr: 8},
		{Case: "resolve", Input: "a", Column: "nlwire", NsOp: 3000},
	}
	if err := Draw(dir, rows); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(dir, Name+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"nlwire", "libmnl", "decode, ns an attribute", "resolve a family"} {
		if !bytes.Contains(svg, []byte(text)) {
			t.Errorf("the SVG does not say %q", text)
		}
	}
	f, err := os.Open(filepath.Join(dir, Name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.Bounds().Dx(), 2*830; got != want {
		t.Errorf("%d pixels wide, want %d", got, want)
	}
}
