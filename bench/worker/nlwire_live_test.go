package main

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// message makes one with a header of hdrlen bytes, of which the second is 24, and
// these attributes.
func message(typ nlmsg.Type, hdrlen int, attrs ...[]byte) []byte {
	b := nlmsg.Begin(nil, typ, 0, 1, 0)
	b = append(b, make([]byte, hdrlen)...)
	if hdrlen > 1 {
		b[nlmsg.HeaderLen+1] = 24
	}
	return nlmsg.End(append(b, slices.Concat(attrs...)...), 0)
}

func TestSumOfRoutes(t *testing.T) {
	const header = unix.SizeofRtMsg
	table := nla.AppendUint32(nil, unix.RTA_TABLE, unix.RT_TABLE_MAIN)
	local := nla.AppendUint32(nil, unix.RTA_TABLE, unix.RT_TABLE_LOCAL)
	dst, oif := nla.AppendUint32(nil, unix.RTA_DST, 1000), nla.AppendUint32(nil, unix.RTA_OIF, 2)
	done := message(nlmsg.TypeDone, 4)
	one := message(unix.RTM_NEWROUTE, header, table, dst, oif)
	for name, test := range map[string]struct {
		d    []byte
		sum  uint64
		done bool
		err  error
	}{
		"a route":                      {one, 1026, false, nil},
		"of another table":             {message(unix.RTM_NEWROUTE, header, local, dst, oif), 0, false, nil},
		"two and the end":              {slices.Concat(one, one, done), 2052, true, nil},
		"what follows the end":         {slices.Concat(one, done, one), 1026, true, nil},
		"refused":                      {message(nlmsg.TypeError, 20), 0, false, errAnswer},
		"a short header":               {message(unix.RTM_NEWROUTE, header-1), 0, false, errAnswer},
		"an attribute of another size": {message(unix.RTM_NEWROUTE, header, nla.AppendUint16(nil, unix.RTA_OIF, 2), table), 0, false, nla.ErrSize},
		"that, and the end":            {slices.Concat(message(unix.RTM_NEWROUTE, header, nla.AppendUint16(nil, unix.RTA_OIF, 2)), done), 0, true, nla.ErrSize},
		"a bad attribute, and the end": {slices.Concat(message(unix.RTM_NEWROUTE, header, []byte{3, 0, 1, 0}), done), 0, true, nla.ErrLength},
		"a cut message":                {one[:len(one)-4], 0, false, nlmsg.ErrOverrun},
	} {
		sum, end, err := sumRoutes(test.d)
		if !errors.Is(err, test.err) || end != test.done || err == nil && sum != test.sum {
			t.Errorf("%s: %d, %v, %v; want %d, %v, %v", name, sum, end, err, test.sum, test.done, test.err)
		}
	}
}

func TestSumOfFamilies(t *testing.T) {
	family := message(genlmsg.IDCtrl, 4, nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, 17))
	want, err := familySum(family)
	if err != nil || want == 0 {
		t.Fatal(want, err)
	}
	done := message(nlmsg.TypeDone, 4)
	for name, test := range map[string]struct {
		d    []byte
		sum  uint64
		done bool
		err  error
	}{
		"a family":        {family, want, false, nil},
		"two and the end": {slices.Concat(family, family, done), 2 * want, true, nil},
		"refused":         {message(nlmsg.TypeError, 20), 0, false, errAnswer},
		"another size":    {slices.Concat(message(genlmsg.IDCtrl, 4, nla.AppendUint32(nil, genlmsg.CtrlAttrFamilyID, 17)), done), 0, false, nla.ErrSize},
		"a cut message":   {family[:len(family)-4], 0, false, nlmsg.ErrOverrun},
	} {
		sum, end, err := sumFamilies(test.d)
		if !errors.Is(err, test.err) || end != test.done || err == nil && sum != test.sum {
			t.Errorf("%s: %d, %v, %v; want %d, %v, %v", name, sum, end, err, test.sum, test.done, test.err)
		}
	}
}
