package golden

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseJoinsLinesAndSplitsAtEmptyOnes(t *testing.T) {
	got, err := parse([]byte("# head\n\n# one\n0102 03 # tail\n\n\n04\n# inside\n05\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]byte{{1, 2, 3}, {4, 5}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseRefusesWhatIsNotHexadecimal(t *testing.T) {
	for _, text := range []string{"0g", "012", "zz zz"} {
		if got, err := parse([]byte(text)); err == nil {
			t.Errorf("parse(%q) = % x, want an error", text, got)
		}
	}
}

// Every file must load, independent of the tests that use it.
func TestFilesLoad(t *testing.T) {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := files.ReadFile("testdata/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if datagrams, err := parse(text); err != nil || len(datagrams) == 0 {
			t.Errorf("%s: %d datagrams, error %v", e.Name(), len(datagrams), err)
		}
	}
}
