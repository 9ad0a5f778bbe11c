package rivals

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink/nl"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The input of a comparator of values is a payload of at most 100 bytes.
func attribute(payload []byte) nla.Attr {
	a, _ := nla.Consume(nla.AppendBytes(nil, 1, payload[:min(len(payload), 100)]))
	return a
}

func generateValue(g generate.Generator) []byte {
	b := g.Bytes(g.IntN(20))
	for range g.IntN(3) {
		if len(b) > 0 {
			b[g.IntN(len(b))] = 0
		}
	}
	return b
}

var valueComparators = []comparator{
	{"mdlayher", mdlayherNumbers},
	{"mdlayher", mdlayherText},
	{"vishvananda", vishvanandaText},
	{"vishvananda", vishvanandaBitfield},
	{"libmnl", mnlValue},
	{"libnl", nlValue},
}

func mdlayherNumbers(in []byte) verdict {
	a := attribute(in)
	for name, get := range map[string]struct {
		ours   func() (any, error)
		theirs func(*netlink.AttributeDecoder) any
	}{
		"uint8":  {func() (any, error) { return a.Uint8() }, func(ad *netlink.AttributeDecoder) any { return ad.Uint8() }},
		"uint16": {func() (any, error) { return a.Uint16() }, func(ad *netlink.AttributeDecoder) any { return ad.Uint16() }},
		"uint32": {func() (any, error) { return a.Uint32() }, func(ad *netlink.AttributeDecoder) any { return ad.Uint32() }},
		"uint64": {func() (any, error) { return a.Uint64() }, func(ad *netlink.AttributeDecoder) any { return ad.Uint64() }},
		"int8":   {func() (any, error) { return a.Int8() }, func(ad *netlink.AttributeDecoder) any { return ad.Int8() }},
		"int16":  {func() (any, error) { return a.Int16() }, func(ad *netlink.AttributeDecoder) any { return ad.Int16() }},
		"int32":  {func() (any, error) { return a.Int32() }, func(ad *netlink.AttributeDecoder) any { return ad.Int32() }},
		"int64":  {func() (any, error) { return a.Int64() }, func(ad *netlink.AttributeDecoder) any { return ad.Int64() }},
		"flag":   {func() (any, error) { return a.Flag() }, func(ad *netlink.AttributeDecoder) any { return ad.Flag() }},
	} {
		ours, err := get.ours()
		ad, _ := netlink.NewAttributeDecoder(a)
		ad.Next()
		if theirs := get.theirs(ad); theirs != ours || (ad.Err() != nil) != (err != nil) {
			return unnamed("%s: %v, %v; nlwire: %v, %v", name, theirs, ad.Err(), ours, err)
		}
	}
	return agreed
}

func mdlayherText(in []byte) verdict {
	a := attribute(in)
	ad, _ := netlink.NewAttributeDecoder(a)
	ad.Next()
	theirs := ad.String()
	ours, err := a.Text()
	n := len(a.Payload())
	switch {
	case err == nil && theirs == string(ours):
		return agreed
	case n == 0 && theirs == "" && errors.Is(err, nla.ErrSize):
		return named("mdlayher-empty-text")
	case err == nil && theirs == string(bytes.TrimRight(a.Payload(), "\x00")) && bytes.HasPrefix([]byte(theirs), append(bytes.Clone(ours), 0)):
		return named("mdlayher-text-goes-on-after-nul")
	}
	return unnamed("%q; nlwire: %q, %v", theirs, ours, err)
}

func vishvanandaText(in []byte) verdict {
	a := attribute(in)
	ours, err := a.CString()
	var theirs string
	reason := panics(func() { theirs = nl.BytesToString(a.Payload()) })
	switch {
	case reason == nil && err == nil && theirs == string(ours):
		return agreed
	case reason != nil && errors.Is(err, nla.ErrUnterminated):
		return named("vishvananda-text-without-nul")
	}
	return unnamed("%q, panic %v; nlwire: %q, %v", theirs, reason, ours, err)
}

func vishvanandaBitfield(in []byte) verdict {
	a := attribute(in)
	if len(a.Payload()) < 8 {
		return agreed // it would read past the payload
	}
	theirs := nl.DeserializeUint32Bitfield(a.Payload())
	value, selector := theirs.Value, theirs.Selector
	ours, err := a.Bitfield32()
	switch {
	case err == nil && value == ours.Value && selector == ours.Selector:
		return agreed
	case errors.Is(err, nla.ErrSize) && len(a.Payload()) > 8:
		return named("vishvananda-long-bitfield")
	}
	return unnamed("%+v; nlwire: %+v, %v", theirs, ours, err)
}

// valid returns, by libmnl's type, whether nlwire accepts the payload.
func valid(a nla.Attr) map[int]bool {
	is := func(_ any, err error) bool { return err == nil || errors.Is(err, nla.ErrRange) }
	ok := map[int]bool{}
	v8, err8 := a.Uint8()
	ok[1] = is(v8, err8)
	v16, err16 := a.Uint16()
	ok[2] = is(v16, err16)
	v32, err32 := a.Uint32()
	ok[3] = is(v32, err32)
	v64, err64 := a.Uint64()
	ok[4] = is(v64, err64)
	text, errText := a.Text()
	ok[5] = is(text, errText)
	flag, errFlag := a.Flag()
	ok[6] = is(flag, errFlag)
	ms, errMs := a.Msecs()
	ok[7] = is(ms, errMs)
	nest := &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindNested}}}
	ok[8] = policy.Validate(a, nest, policy.Liberal) == nil
	name, errName := a.CString()
	ok[10] = is(name, errName)
	return ok
}

func mnlValue(in []byte) verdict {
	a := attribute(in)
	v, tb := clib.MnlValue(a), tableOf(a)
	for typ, ours := range valid(a) {
		theirs := v.Valid&(1<<typ) != 0
		switch {
		case theirs == ours:
		case typ == 10 && ours && in[len(a.Payload())-1] != 0:
			return named("libmnl-nul-at-the-end")
		default:
			return unnamed("type %d: %v; nlwire: %v", typ, theirs, ours)
		}
	}
	return sameNumbers(v, tb, len(a.Payload()))
}

// tableOf returns a table with a as its type 1.
func tableOf(a nla.Attr) *nla.Table {
	return &nla.Table{Stream: a, Slots: []uint32{1: uint32(len(a))}}
}

// sameNumbers compares the getters that ignore the size, for payloads with enough bytes.
func sameNumbers(v clib.Value, tb *nla.Table, n int) verdict {
	if n >= 1 && v.U8 != tb.Uint8(1) || n >= 2 && v.U16 != tb.Uint16(1) || n >= 4 && v.U32 != tb.Uint32(1) || n >= 8 && v.U64 != tb.Uint64(1) {
		return unnamed("%+v; nlwire: %d, %d, %d, %d", v, tb.Uint8(1), tb.Uint16(1), tb.Uint32(1), tb.Uint64(1))
	}
	return agreed
}

func nlValue(in []byte) verdict {
	a := attribute(in)
	v, tb := clib.NlValue(a), tableOf(a)
	if n := len(a.Payload()); n < 8 && v.U64 != tb.Uint64(1) || v.Text != string(tb.Text(1)) {
		return unnamed("%d, %q; nlwire: %d, %q", v.U64, v.Text, tb.Uint64(1), tb.Text(1))
	}
	return sameNumbers(v, tb, len(a.Payload()))
}

// FuzzValues compares the values of a payload read as each kind.
func FuzzValues(f *testing.F) {
	fuzzKind(f, "values", nil, []byte{1}, []byte("eth0\x00"), []byte("a\x00b"), []byte("a\x00\x00"), make([]byte, 8), make([]byte, 9))
}
