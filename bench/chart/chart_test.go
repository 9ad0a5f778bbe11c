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
		{Case: "decode", Input: "links", Column: "nlwire", NsOp: 100, NsAttr: 2},
		{Case: "decode", Input: "links", Column: "libmnl", NsOp: 400, NsAttr: 8},
		{Case: "request", Input: "nlctrl", Column: "nlwire", NsOp: 3000},
		{Case: "latency", Input: "1", Column: "nlwire", NsOp: 4000},
		{Case: "latency", Input: "64", Column: "nlwire", NsOp: 6000},
		{Case: "latency", Input: "1", Column: "mdlayher", NsOp: 12000},
		{Case: "latency", Input: "64", Column: "mdlayher", NsOp: 900000},
	}
	if err := Draw(dir, rows); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(dir, Name+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"nlwire", "libmnl", "decode recorded messages", "request the ID of a family", "p99 of a request"} {
		if !bytes.Contains(svg, []byte(text)) {
			t.Errorf("the SVG does not contain %q", text)
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
