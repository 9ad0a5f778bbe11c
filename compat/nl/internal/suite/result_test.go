package suite

import (
	"slices"
	"testing"
)

func TestCompare(t *testing.T) {
	before := Results{"A": Pass, "B": Pass, "C": Fail, "D": Skip, "E": Pass, "F": Skip, "G": Fail, "H": Pass}
	after := Results{"A": Pass, "B": Fail, "C": Pass, "D": Pass, "E": Skip, "F": Fail, "I": Fail}
	want := []Change{
		{"B", Pass, Fail}, {"C", Fail, Pass}, {"D", Skip, Pass}, {"E", Pass, Skip},
		{"F", Skip, Fail}, {"G", Fail, None}, {"H", Pass, None}, {"I", None, Fail},
	}
	got := Compare(before, after)
	if !slices.Equal(got, want) {
		t.Errorf("changes\n%v, want\n%v", got, want)
	}
	var worse []string
	for _, c := range got {
		if c.IsWorse() {
			worse = append(worse, c.Test)
		}
	}
	if want := []string{"B", "E", "F", "H"}; !slices.Equal(worse, want) {
		t.Errorf("worse: %v, want %v", worse, want)
	}
}
