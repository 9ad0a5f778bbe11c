package bus

import (
	"bytes"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// withAndWithout runs a test on a bus with the features of a preset and one more, and on a
// bus without that one.
func withAndWithout(t *testing.T, preset, feature Features, test func(t *testing.T, b *Bus, has bool)) {
	t.Helper()
	t.Run(feature.String(), func(t *testing.T) {
		test(t, newBus(t, WithFeatures(preset|feature)), true)
		test(t, newBus(t, WithFeatures(preset&^feature)), false)
	})
}

func equal[T comparable](t *testing.T, what string, has bool, got, with, without T) {
	t.Helper()
	want := without
	if has {
		want = with
	}
	if got != want {
		t.Errorf("%s, feature %v: %v, want %v", what, has, got, want)
	}
}

// Every feature changes what its comment says, and each preset is a different set.
func TestFeatures(t *testing.T) {
	attr := nla.AppendUint32(nil, 1, 1)
	byName := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "f")
	text := func(t *testing.T, b *Bus, f *Family, cmd uint8) string {
		return string(answerTo(t, openPort(t, b, WithFlags(socket.ExtAck)), message(f, cmd, nlmsg.FlagAck, attr)).Msg)
	}
	noDump := func(*Dump) error { return nil }

	withAndWithout(t, Linux61, FeatureResvStartOp, func(t *testing.T, b *Bus, has bool) {
		f := register(t, b, &Family{Name: "f", Ops: []Op{{Cmd: 1, Do: nothing}}})
		reserved := message(f, 1, nlmsg.FlagAck, nil)
		reserved[18] = 1
		a := answerTo(t, openPort(t, b), reserved)
		equal(t, "a reserved byte", has, a.Errno, errno.EINVAL, 0)
		equal(t, "no policy", has, text(t, b, f, 1), "Attribute failed policy validation", "")
		loose := &Family{Name: "loose", Ops: []Op{{Cmd: 1, Do: nothing, Validate: DontValidateStrict}}}
		equal(t, "Validate flags", has, b.Register(loose) == nil, false, true)
	})
	withAndWithout(t, Linux61, FeatureMissing, func(t *testing.T, b *Bus, has bool) {
		f := register(t, b, simple("f", func(i *Info) error { return i.Require(2) }))
		a := answerTo(t, openPort(t, b, WithFlags(socket.ExtAck)), message(f, 1, 0, attr))
		equal(t, "missing type", has, a.MissType, 2, 0)
		g := register(t, b, simple("g", func(i *Info) error {
			i.SetAttrMsg(i.Attrs.Get(1), "that")
			i.SetCookie([]byte{1, 2, 3})
			return errno.EINVAL
		}))
		for _, flags := range [][]socket.Flag{{socket.ExtAck}, {socket.ExtAck, socket.CapAck}} {
			m := send(t, openPort(t, b, WithFlags(flags...)), message(g, 1, 0, attr))[0]
			var types []uint16
			for a := range nla.All(m[len(m)-3*8-4:]) { // "that", 4 bytes longer, the cookie, the offset
				types = append(types, a.Type())
			}
			if want := map[bool][]uint16{true: {1, 3, 2}, false: {1, 2, 3}}[has]; !slices.Equal(types, want) {
				t.Errorf("feature %v: attributes %d, want %d", has, types, want)
			}
			if a, err := nlmsg.ParseAck(m); err != nil || a.Offset != 20 || len(a.Cookie) != 3 {
				t.Errorf("%+v, %v", a, err)
			}
		}
	})
	withAndWithout(t, Linux61, FeatureSplitOps, func(t *testing.T, b *Bus, has bool) {
		f := register(t, b, &Family{Name: "f", ResvStartOp: 9, Ops: []Op{
			{Cmd: 1, Flags: genlmsg.OpAdmin, Do: nothing},
			{Cmd: 2, Policy: anyPolicy, Dump: noDump, Validate: DontValidateDump},
		}})
		a := answerTo(t, openPort(t, b, WithCaps(0)), message(f, 1, nlmsg.FlagDump, nil))
		equal(t, "missing half", has, a.Errno, errno.EOPNOTSUPP, errno.EPERM)
		p := openPort(t, b)
		policies := send(t, p, message(b.ctrl, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, byName))
		equal(t, "messages for an unused policy", has, len(policies), 1, 5) // ENODATA; or 2 tables with 2 rules each, and Done
		list := send(t, p, message(b.ctrl, genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nla.AppendUint32(nil, 99, 0)))
		equal(t, "messages for an invalid list", has, len(list), 1, 3)
		ops := nla.Find(genlmsg.Attrs(send(t, p, message(b.ctrl, genlmsg.CtrlCmdGetFamily, 0, byName))[0], 0), genlmsg.CtrlAttrOps).Payload()
		_, n := nla.Consume(ops)
		op, _ := nla.Consume(ops[n:])
		flags, err := nla.Find(op.Payload(), genlmsg.CtrlAttrOpFlags).Uint32()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "flags", has, genlmsg.OpFlags(flags), genlmsg.OpDump, genlmsg.OpDump|genlmsg.OpPolicy)
	})
	withAndWithout(t, Linux612, FeatureDoneExtAck, func(t *testing.T, b *Bus, has bool) {
		f := register(t, b, &Family{Name: "f", Ops: []Op{{Cmd: 1, Policy: anyPolicy, Dump: func(d *Dump) error {
			d.SetAttrMsg(d.Attrs.Get(1), "that")
			return errno.EINVAL
		}}}})
		list := send(t, openPort(t, b, WithFlags(socket.ExtAck)), message(f, 1, nlmsg.FlagDump, attr))
		a, err := nlmsg.ParseDone(list[0])
		if err != nil || string(a.Msg) != "that" {
			t.Fatalf("%q, %v", a.Msg, err)
		}
		equal(t, "offset", has, a.Offset, 20, 0)
	})
	withAndWithout(t, Linux612, FeatureStartExtAck, func(t *testing.T, b *Bus, has bool) {
		f := register(t, b, &Family{Name: "f", Ops: []Op{{Cmd: 1, Policy: anyPolicy, Dump: noDump, Start: func(d *Dump) error {
			d.SetAttrMsg(d.Attrs.Get(1), "that")
			return errno.EINVAL
		}}}})
		a := answerTo(t, openPort(t, b, WithFlags(socket.ExtAck)), message(f, 1, nlmsg.FlagDump, attr))
		equal(t, "offset", has, a.Offset, 20, 0)
		equal(t, "text", has, string(a.Msg), "that", "")
	})
	withAndWithout(t, Linux612, FeatureFamiliesDone, func(t *testing.T, b *Bus, has bool) {
		p := openPort(t, b)
		if err := p.Send(message(b.ctrl, genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nil)); err != nil {
			t.Fatal(err)
		}
		datagrams := 0
		for _, _, err := p.TryReceive(make([]byte, 4096)); err == nil; _, _, err = p.TryReceive(make([]byte, 4096)) {
			datagrams++
		}
		equal(t, "datagrams", has, datagrams, 1, 2)
	})
	withAndWithout(t, Linux618, FeatureRejectSplit, func(t *testing.T, b *Bus, has bool) {
		var attrs nla.Table
		f := register(t, b, &Family{
			Name: "f", MaxAttr: 2, ResvStartOp: 2,
			Ops: []Op{{Cmd: 2, Do: nothing}, {Cmd: 1, Do: func(i *Info) error {
				attrs = nla.Table{Stream: bytes.Clone(i.Attrs.Stream), Slots: slices.Clone(i.Attrs.Slots)}
				return nil
			}}},
			SplitOps: []SplitOp{{Cmd: 3, Flags: genlmsg.OpDo, Do: nothing}},
		})
		equal(t, "split operation", has, text(t, b, f, 3), "Unknown attribute type", "")
		equal(t, "new operation", has, text(t, b, f, 2), "Unknown attribute type", "Attribute failed policy validation")
		equal(t, "old operation", has, text(t, b, f, 1), "", "")
		equal(t, "attributes without validation", has, attrs.Has(1), false, true)
	})
	withAndWithout(t, Linux618, FeatureDumpOpCmd, func(t *testing.T, b *Bus, has bool) {
		register(t, b, &Family{Name: "f", SplitOps: []SplitOp{{Cmd: 4, Flags: genlmsg.OpDump, Policy: anyPolicy, Dump: noDump}}})
		list := send(t, openPort(t, b), message(b.ctrl, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, byName))
		op, _ := nla.Consume(nla.Find(genlmsg.Attrs(list[0], 0), genlmsg.CtrlAttrOpPolicy).Payload())
		equal(t, "command", has, op.Type(), 4, 0)
	})
	for feature, r := range map[Features]policy.Rule{
		FeatureUintPolicy: {Kind: policy.KindMsecs},
		FeatureFuncPolicy: {Kind: policy.KindU32, Check: policy.CheckFunc},
	} {
		withAndWithout(t, Linux618, feature, func(t *testing.T, b *Bus, has bool) {
			register(t, b, &Family{Name: "f", Ops: []Op{{Cmd: 1, Policy: &policy.Policy{Attrs: []policy.Rule{1: r}}, Do: nothing}}})
			list := send(t, openPort(t, b), message(b.ctrl, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, byName))
			rule := nla.Find(genlmsg.Attrs(list[1], 0), genlmsg.CtrlAttrPolicy)
			length := len(rule)
			typ := list[1][len(list[1])-4]
			if feature == FeatureUintPolicy {
				equal(t, "type", has, typ, 17, 5)
			} else {
				equal(t, "length", has, length, 20, 44)
			}
		})
	}
	for feature, sizes := range map[Features][2]int{FeatureSmallHeads: {832, 768}, FeatureWideHeads: {960, 832}} {
		withAndWithout(t, Linux618, feature, func(t *testing.T, b *Bus, has bool) {
			equal(t, "share of 40 bytes", has, b.features.trueSize(40), sizes[0], sizes[1])
		})
	}
}

// String names the features of a set, and Preset finds the presets of releases.
func TestFeatureNames(t *testing.T) {
	if 1<<len(featureNames) != featureEnd {
		t.Errorf("%d names", len(featureNames))
	}
	if got := (FeatureMissing | FeatureWideHeads).String(); got != "missing,wide-heads" {
		t.Error(got)
	}
	seen := map[Features]bool{}
	for _, p := range presets {
		f, ok := Preset(p.name)
		if !ok || f != p.features || seen[f] || f.Has(FeatureWideHeads) {
			t.Errorf("%s: %v", p.name, f)
		}
		seen[f] = true
	}
	if _, ok := Preset("2.4"); ok {
		t.Error("a preset for 2.4")
	}
}

// Probe finds the features of a bus as it finds those of a kernel.
func TestProbe(t *testing.T) {
	for _, p := range presets {
		for _, f := range []Features{p.features, p.features | FeatureWideHeads} {
			want := f
			if !f.Has(FeatureSmallHeads) {
				want &^= FeatureWideHeads // has no effect without FeatureSmallHeads
			}
			b := newBus(t, WithFeatures(f))
			if f.Has(FeatureSplitOps) {
				register(t, b, &Family{Name: "netdev", SplitOps: []SplitOp{{Cmd: 1, Flags: genlmsg.OpDump, Dump: count(3, 20)}}})
			}
			got, err := Probe(openPort(t, b, WithCaps(0)))
			if err != nil || got != want {
				t.Errorf("%s: %v, want %v; %v", p.name, got, want, err)
			}
		}
	}
	b := newBus(t)
	p := openPort(t, b)
	_ = b.Close()
	if f, err := Probe(p); err == nil {
		t.Errorf("a closed port has %v", f)
	}
}

// For a kernel of a distribution, Probe returns the detected features, and the others from
// the nearest preset.
func TestProbeBackport(t *testing.T) {
	f := Linux618 | FeatureDumpOpCmd
	b := newBus(t, WithFeatures(f))
	register(t, b, &Family{Name: "netdev", SplitOps: []SplitOp{{Cmd: 1, Flags: genlmsg.OpDump, Dump: count(3, 20)}}})
	if got, err := Probe(openPort(t, b)); err != nil || got&^FeatureFuncPolicy != f&^FeatureFuncPolicy {
		t.Errorf("%v, want %v; %v", got, f, err)
	}
}
