package errno

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
)

// extremes are numbers at the limits of errnos, of the field in a netlink message, and of Errno.
var extremes = []Errno{0, 1, 2, 132, 133, 511, 512, 532, 1133, 4095, 4096, 1<<16 - 1, 1 << 16, 1<<31 - 3, 1<<31 - 1, 1 << 31, 1<<31 + 1, math.MaxUint32 - 1, math.MaxUint32}

// TestEdges calls every exported function with extreme arguments.
func TestEdges(t *testing.T) {
	guard.Edges(t, map[string]func(*testing.T){
		"Errno.Error": func(t *testing.T) {
			for _, e := range extremes {
				s := e.Error()
				if s == "" || (e == 0) != (s == "success") || (e.Name() == "" && e != 0) != (s == "errno "+strconv.FormatUint(uint64(e), 10)) {
					t.Errorf("%d: %q", uint32(e), s)
				}
			}
		},
		"Errno.Name": func(t *testing.T) {
			for _, e := range extremes {
				if s := e.Name(); s != "" && (e == 0 || e > 1133) {
					t.Errorf("%d: %q", uint32(e), s)
				}
			}
		},
		"Errno.Is": func(t *testing.T) {
			for _, e := range extremes {
				if e.Is(nil) || e.Is(odd{}) || e.Is((*fs.PathError)(nil)) {
					t.Errorf("%d matches an error that it does not represent", uint32(e))
				}
			}
		},
		"Errno.As": func(t *testing.T) {
			for _, e := range extremes {
				var path *fs.PathError
				if errors.As(e, &path) || e.Error() == "" {
					t.Errorf("%d is a PathError", uint32(e))
				}
			}
		},
		"Is": func(t *testing.T) {
			for _, e := range extremes {
				if !Is(fmt.Errorf("wrapped: %w", e), e) || Is(e, e+1) || Is(e, nil) || Is(nil, e) || Is(e, odd{}) || Is(odd{}, e) {
					t.Errorf("%d", uint32(e))
				}
			}
		},
		"Of": func(t *testing.T) {
			for _, e := range extremes {
				for _, err := range []error{e, fmt.Errorf("wrapped: %w", e), errors.Join(odd{}, e)} {
					if got, ok := Of(err); got != e || !ok {
						t.Errorf("%d in %v: %d, %v", uint32(e), err, uint32(got), ok)
					}
				}
			}
			for _, err := range []error{nil, odd{}, errors.Join(), fmt.Errorf("no %w", odd{})} {
				if got, ok := Of(err); got != 0 || ok {
					t.Errorf("%v: %d, %v", err, uint32(got), ok)
				}
			}
		},
	}, nil)
}

// odd is an error that is not comparable.
type odd struct{ _ []byte }

func (odd) Error() string { return "odd" }
