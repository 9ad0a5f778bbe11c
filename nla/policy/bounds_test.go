package policy

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// refused returns the error of validating an attribute stream.
func refused(t *testing.T, in []byte, p *Policy, mode Mode) Error {
	t.Helper()
	var refusal *Error
	if err := Parse(nil, in, p, mode); err != nil && !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if refusal == nil {
		return Error{}
	}
	return *refusal
}

// The offset of an attribute inside an array entry includes the entry's own bytes, not its
// padding.
func TestOffsetsInsideEntriesOfAnArray(t *testing.T) {
	p := &Policy{Attrs: []Rule{1: {Kind: KindNestedArray, Nested: &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindU8}}}}}}
	short := []byte{1} // an attribute of one byte: its entry has 9 bytes and is padded
	entry := func(b []byte, typ uint16) []byte {
		inner := ne.AppendUint16(ne.AppendUint16(nil, 5), typ)
		return nla.AppendBytes(b, 1, append(inner, short...))
	}
	for _, tt := range []struct {
		entries []uint16 // the type of the attribute in each entry; 1 is too short for its rule
		want    int      // offset of the first rejected attribute
	}{{[]uint16{1}, 8}, {[]uint16{2, 1}, 20}, {[]uint16{1, 2}, 8}, {[]uint16{2, 2, 1}, 32}} {
		in := nla.Begin(nil, 1)
		for _, typ := range tt.entries {
			in = entry(in, typ)
		}
		in = nla.End(in, 0)
		if e := refused(t, in, p, Liberal); e.Errno != errno.ERANGE || int(e.Report.Offset) != tt.want {
			t.Errorf("%v: errno %d at %d, want %d at %d", tt.entries, e.Errno, e.Report.Offset, errno.ERANGE, tt.want)
		}
	}
}

// A binary of exactly the maximum length is not too long.
func TestExactLengthIsNotTooLong(t *testing.T) {
	p := &Policy{Attrs: []Rule{1: ExactLenWarn(4)}}
	for size, want := range map[int]errno.Errno{3: errno.ERANGE, 4: 0, 5: errno.EINVAL} {
		if e := refused(t, nla.AppendBytes(nil, 1, make([]byte, size)), p, Strict); e.Errno != want {
			t.Errorf("%d bytes: errno %d, want %d", size, e.Errno, want)
		}
	}
}

// Every bit in the value without its bit in the selector is rejected.
func TestBitfieldValuesNeedTheirSelector(t *testing.T) {
	p := &Policy{Attrs: []Rule{1: {Kind: KindBitfield32, Mask: 1<<32 - 1}}}
	for bit := range 32 {
		for _, tt := range []struct {
			value, selector uint32
			want            errno.Errno
		}{{1 << bit, 1 << bit, 0}, {1 << bit, 0, errno.EINVAL}, {1 << bit, ^uint32(1 << bit), errno.EINVAL}} {
			in := nla.AppendBytes(nil, 1, append(ne.AppendUint32(nil, tt.value), ne.AppendUint32(nil, tt.selector)...))
			if e := refused(t, in, p, Liberal); e.Errno != tt.want {
				t.Errorf("bit %d, value %#x, selector %#x: errno %d, want %d", bit, tt.value, tt.selector, e.Errno, tt.want)
			}
		}
	}
}

// Without a policy and a table there is no maximum type, but type 0 is rejected.
func TestTypeZeroWithoutATable(t *testing.T) {
	if e := refused(t, nla.AppendUint8(nil, 7, 1), nil, Strict); e.Errno != 0 {
		t.Errorf("a type: errno %d", e.Errno)
	}
	if e := refused(t, nla.AppendUint8(nil, 0, 1), nil, Strict); e.Errno != errno.EINVAL || e.Report.Msg != msgUnknown {
		t.Errorf("type 0: errno %d, %q", e.Errno, e.Report.Msg)
	}
}

// A string of the maximum length may have a NUL in addition.
func TestLongestStringHasItsNULBesides(t *testing.T) {
	for _, size := range []uint16{15, nla.MaxPayload - 1} {
		p := &Policy{Attrs: []Rule{1: {Kind: KindNULString, Len: size}}}
		text := make([]byte, int(size)+1)
		for i := range size {
			text[i] = 'x'
		}
		for _, slow := range []bool{false, true} {
			if slow {
				withoutLimits(p)
			}
			if e := refused(t, nla.AppendBytes(nil, 1, text), p, Strict); e.Errno != 0 {
				t.Errorf("%d bytes, slow %v: errno %d", len(text), slow, e.Errno)
			}
		}
	}
}
