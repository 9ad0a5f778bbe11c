package socket

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// The functions of a probe, as kernels, sandboxes and missing capabilities make them fail.
func noCookie(int) (uint64, error) { return 0, unix.ENOPROTOOPT }
func noOwner(int) (int, error)     { return -1, unix.EPERM }
func noThread() (nsID, error)      { return nsID{}, unix.ENOENT }
func withProbe(p probe) Option     { return func(c *config) { c.probe = p } }
func siblingThere(t *testing.T, s *Socket) (*Socket, error) {
	t.Helper()
	var sibling *Socket
	var err error
	kerneltest.InNetNS(t, kerneltest.NewNetNS(t), func() { sibling, err = s.Sibling() })
	return sibling, err
}

// A thread in another namespace makes a sibling. Whatever fails, the sibling is in the
// namespace of its socket, or there is an error.
func TestANamespaceIsNeverGuessed(t *testing.T) {
	for name, tt := range map[string]struct {
		probe  probe
		isMade bool // although the thread is in another namespace
		isHere bool // if the thread is in the right namespace
	}{
		"all":             {probe{}, true, true},
		"no cookie":       {probe{cookie: noCookie}, true, true},
		"no SIOCGSKNS":    {probe{owner: noOwner}, false, true},
		"only the thread": {probe{cookie: noCookie, owner: noOwner}, false, true},
		"no /proc":        {probe{cookie: noCookie, thread: noThread}, true, true},
		"nothing":         {probe{cookie: noCookie, owner: noOwner, thread: noThread}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Route, withProbe(tt.probe))
			ns := links(t, s)
			before := descriptors(t)
			sibling, err := siblingThere(t, s)
			check := func(isMade bool) {
				t.Helper()
				switch {
				case isMade && err != nil:
					t.Error(err)
				case isMade:
					if its := links(t, sibling); its != ns {
						t.Errorf("%d links, its sibling sees %d", ns, its)
					}
					sibling.Close()
				case !errors.Is(err, ErrNetNS) || !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN"):
					t.Errorf("sibling %v, error %v", sibling, err)
				}
			}
			check(tt.isMade)
			sibling, err = s.Sibling()
			check(tt.isHere)
			if after := descriptors(t); after > before+1 { // the namespace of siblingThere
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		})
	}
}

// The socket is in a namespace given by descriptor, and the process has dropped its
// capabilities.
func TestASiblingInsideWithoutCapabilities(t *testing.T) {
	ns := kerneltest.NewNetNS(t)
	s := open(t, Route, WithNetNS(ns), withProbe(probe{owner: noOwner}))
	sibling, err := s.Sibling()
	if !errors.Is(err, ErrNetNS) || !errors.Is(err, unix.EPERM) {
		t.Errorf("sibling %v, error %v", sibling, err)
	}
}

func TestHintsNameTheRemedy(t *testing.T) {
	for _, tt := range []struct {
		op   string
		err  error
		want string
	}{
		{"socket", unix.EAFNOSUPPORT, "RestrictAddressFamilies"},
		{"socket", unix.EPERM, "security policy"},
		{"ioctl SIOCGSKNS", unix.EPERM, "CAP_NET_ADMIN"},
	} {
		var e *OpError
		if err := newOpError(tt.op, Generic, tt.err); !errors.As(err, &e) || !strings.Contains(e.Hint, tt.want) {
			t.Errorf("%s, %v: hint %q", tt.op, tt.err, e.Hint)
		}
	}
}
