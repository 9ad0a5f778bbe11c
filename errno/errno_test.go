package errno

import (
	"errors"
	"fmt"
	"testing"
)

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		errno      Errno
		name, text string
	}{
		{0, "", "success"},
		{EPERM, "EPERM", "operation not permitted"},
		{ENODATA, "ENODATA", "no data available"},
		{EDQUOT, "EDQUOT", "disk quota exceeded"},
		{ENOTSUPP, "ENOTSUPP", "operation is not supported"},
		{4000, "", "errno 4000"},
		{1<<32 - 1, "", "errno 4294967295"},
	} {
		if c.errno.Name() != c.name || c.errno.Error() != c.text {
			t.Errorf("%d: %q, %q, want %q, %q", uint32(c.errno), c.errno.Name(), c.errno.Error(), c.name, c.text)
		}
	}
}

// Each number has one name, so that the table can be searched by number and by name.
func TestTableHasNoDoubles(t *testing.T) {
	numbers, names := map[Errno]bool{}, map[string]bool{}
	for _, e := range table {
		if numbers[e.errno] || names[e.name] || e.errno == 0 || e.text == "" {
			t.Errorf("%d, %s: duplicate, or no text", e.errno, e.name)
		}
		numbers[e.errno], names[e.name] = true, true
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Errno
		ok   bool
	}{
		{nil, 0, false},
		{ENOENT, ENOENT, true},
		{fmt.Errorf("find: %w", ENOENT), ENOENT, true},
		{errors.New("other"), 0, false},
	} {
		if got, ok := Of(c.err); got != c.want || ok != c.ok {
			t.Errorf("Of(%v) = %v, %v", c.err, got, ok)
		}
	}
}
