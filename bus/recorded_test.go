package bus

import (
	"bytes"
	_ "embed"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

//go:embed testdata/controller-5.10.hex
var controller510 string

//go:embed testdata/controller-6.1.hex
var controller61 string

// A bus with the features of an old kernel and twins of that kernel's families sends the
// recorded replies: the list of families with its datagrams, policies, and errors.
func TestRecordedKernels(t *testing.T) {
	for _, tt := range []struct {
		name      string
		features  Features
		recording string
		families  int
	}{
		{"5.10", Linux510, controller510, 41},
		{"6.1", Linux61, controller61, 45},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := golden.Exchange(t, tt.recording)
			families := recordedFamilies(t, list)
			if len(families) != tt.families {
				t.Errorf("%d families", len(families))
			}
			if n := differences(t, tt.features, families, list, t.Errorf); n != 0 {
				t.Errorf("%d datagrams differ", n)
			}
			for _, f := range []Features{FeatureSplitOps, FeatureFamiliesDone, FeatureDumpOpCmd} {
				if differences(t, tt.features^f, families, list, t.Logf) == 0 {
					t.Errorf("the recording does not depend on %v", f)
				}
			}
		})
	}
}

// differences replays an exchange on a bus and returns the number of answers that differ.
func differences(t *testing.T, features Features, families []kernelFamily, list []golden.Recorded, report func(string, ...any)) (n int) {
	t.Helper()
	b := newBus(t, WithFeatures(features))
	twins := map[string]*Family{}
	for i := range families {
		twins[families[i].Name] = families[i].recordedTwin()
	}
	b.adopt(t, families, twins)
	p := openPort(t, b, WithPortID(1), WithFlags(socket.ExtAck))
	// The recording client passed buffers of 4096 bytes, but the kernel limited the second
	// datagram of the first dump to goodSize, as it does if a client first peeks at the length
	// of a datagram.
	buf := make([]byte, goodSize, 4096)
	for _, r := range list {
		if r.Dir == "tx" {
			if err := p.Send(r.B); err != nil {
				t.Fatal(err)
			}
			continue
		}
		size, _, err := p.TryReceive(buf)
		buf = buf[:cap(buf)]
		if err != nil || !bytes.Equal(buf[:size], r.B) {
			if n++; n == 1 {
				at := 0
				for at < min(size, len(r.B)) && buf[at] == r.B[at] {
					at++
				}
				report("%v: %s: %v, at byte %d\n  bus    %x\n  kernel %x", features, r.Label, err, at, buf[at:size], r.B[at:])
			}
		}
	}
	if _, _, err := p.TryReceive(buf); err != socket.ErrEmpty {
		n++
	}
	return n
}

// recordedTwin makes a twin. An operation whose policy is not recorded gets the policy of
// another operation of the family, or anyPolicy if none is recorded.
func (k *kernelFamily) recordedTwin() *Family {
	f := k.twin(func(uint32) GroupFlags { return 0 })
	f.NetNSOK = true
	common := anyPolicy
	if tables := k.policies.Tables(); len(tables) > 0 {
		common = tables[0]
	}
	for i := range f.Ops {
		op, _ := k.Op(f.Ops[i].Cmd)
		if op.Flags&genlmsg.OpPolicy != 0 && f.Ops[i].Policy == nil {
			f.Ops[i].Policy = common
		}
	}
	return f
}

// recordedFamilies parses the recorded list of families and the recorded policies.
func recordedFamilies(t *testing.T, list []golden.Recorded) (families []kernelFamily) {
	t.Helper()
	policies := map[string][][]byte{}
	for _, r := range list {
		name, isPolicy := strings.CutPrefix(r.Label, "nlctrl.getpolicy.")
		switch {
		case r.Dir == "rx" && isPolicy:
			policies[name] = append(policies[name], r.B)
		case r.Dir == "rx" && r.Label == "nlctrl.getfamily.dump":
			for m := range nlmsg.All(r.B) {
				if m.Type() == nlmsg.TypeDone {
					continue
				}
				f, err := ctrl.ParseFamily(m)
				if err != nil {
					t.Fatal(err)
				}
				families = append(families, kernelFamily{f, &ctrl.Policies{}})
			}
		}
	}
	for i := range families {
		k := &families[i]
		answers, ok := policies[k.Name]
		if !ok {
			continue
		}
		c := ctrl.New(conn.New(&replay{answers: answers}))
		p, err := c.Policies(t.Context(), &k.Family)
		if err != nil {
			t.Fatal(err)
		}
		k.policies = p
	}
	return families
}

// replay is a conn.Transport that answers one request with recorded datagrams.
type replay struct {
	answers [][]byte
	seq     uint32
}

func (r *replay) Send(b []byte) error {
	r.seq = nlmsg.Msg(b).Seq()
	return nil
}

func (r *replay) TryReceive(b []byte) (int, socket.Info, error) {
	if len(r.answers) == 0 {
		return 0, socket.Info{}, socket.ErrEmpty
	}
	n := copy(b, r.answers[0])
	for m := range nlmsg.All(b[:n]) {
		m.SetSeq(r.seq)
	}
	r.answers = r.answers[1:]
	return n, socket.Info{Size: n}, nil
}

func (r *replay) Receive(b []byte) (int, socket.Info, error) { return r.TryReceive(b) }
func (r *replay) SetReadDeadline(time.Time) error            { return nil }
func (r *replay) PortID() uint32                             { return 1 }
func (r *replay) Close() error                               { return nil }

var _ conn.Transport = (*replay)(nil)
