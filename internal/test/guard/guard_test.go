package guard

import (
	"slices"
	"testing"
)

// The functions of this package check the package in the working directory, here guard itself.
func TestExportedFuncsFindsWhatIsExported(t *testing.T) {
	got := exportedFuncs(t)
	slices.Sort(got)
	if want := []string{"Allocs", "Edges", "Imports", "Inlining", "Memory", "OnlyIn"}; !slices.Equal(got, want) {
		t.Errorf("exportedFuncs = %q, want %q", got, want)
	}
}

func TestImportsAcceptsWhatIsNotImported(t *testing.T) { Imports(t, "fmt", "unsafe") }
