package conn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

func TestDoAllocatesNothing(t *testing.T) { onBoth(t, doAllocatesNothing) }

func doAllocatesNothing(t *testing.T, w world) {
	if guard.Race {
		t.Skip("the race detector makes a sync.Pool allocate")
	}
	c := w.generic(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n := testing.AllocsPerRun(200, func() { resolve(ctx, t, c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBatchAllocatesNothing(t *testing.T) { onBoth(t, batchAllocatesNothing) }

func batchAllocatesNothing(t *testing.T, w world) {
	if guard.Race {
		t.Skip("the race detector makes a sync.Pool allocate")
	}
	c := w.generic(t)
	batch := make([]*Request, 8)
	allocs := testing.AllocsPerRun(200, func() {
		for i := range batch {
			batch[i] = ctrlRequest(c, nlmsg.FlagAck, genlmsg.CtrlCmdGetFamily)
			batch[i].B = nla.AppendCString(batch[i].B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
		}
		if err := c.Batch(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
		for _, r := range batch {
			familyID(t, r.Reply())
			r.Release()
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// GET with ACK: the acknowledgement does not remain for the next request.
func TestGetWithAck(t *testing.T) { onBoth(t, getWithAck) }

func getWithAck(t *testing.T, w world) {
	c := w.generic(t)
	for range 10 {
		r := ctrlRequest(c, nlmsg.FlagAck, genlmsg.CtrlCmdGetFamily)
		r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
		m, err := c.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		familyID(t, m)
		r.Release()
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

func TestErrorAnswers(t *testing.T) { onBoth(t, errorAnswers) }

func errorAnswers(t *testing.T, w world) {
	c := w.generic(t)
	r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
	r.Op = `get family 3`
	r.Name = func(path []uint16) string { return map[string]string{"[1]": "family-id"}[fmt.Sprint(path)] }
	r.B = nla.AppendUint8(r.B, genlmsg.CtrlAttrFamilyID, 3)
	_, err := c.Do(t.Context(), r)
	want := &Error{
		Op: "get family 3", Seq: r.Sent(),
		ExtAck: nlmsg.ExtAck{Errno: errno.ERANGE, Msg: []byte("Attribute failed policy validation"), Offset: 20},
		Path:   []uint16{1}, Name: "family-id",
		Rule: &policy.Rule{Kind: policy.KindU16, Check: policy.CheckRange, Max: 65535},
	}
	var got *Error
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	want.Rule.Check, want.Rule.Max = got.Rule.Check, got.Rule.Max // the kernel reports the range of the kind
	want.Policy = got.Policy
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	dump := ctrlRequest(c, 0, genlmsg.CtrlCmdGetPolicy)
	dump.B = nla.AppendUint8(dump.B, genlmsg.CtrlAttrFamilyID, 3)
	for _, err := range c.Dump(t.Context(), dump) {
		isError(t, err, errInvalid)
	}
	missing := ctrlRequest(c, 0, 200)
	_, err = c.Do(t.Context(), missing)
	isError(t, err, errOperation)
}

// forger sends a forged answer before each request: port ID and sequence number are right,
// but the sender is not the kernel.
type forger struct {
	Transport
	lie func(b []byte) error
}

func (f forger) Send(b []byte) error {
	req, _ := nlmsg.Consume(b)
	forged := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, req.Seq(), f.PortID())
	forged = nlmsg.End(nla.AppendUint16(genlmsg.Append(forged, 1, 2), genlmsg.CtrlAttrFamilyID, 666), 0)
	lies := [][]byte{forged, nlmsg.AppendAck(nil, &nlmsg.ExtAck{Request: req}, nlmsg.AckOptions{PortID: f.PortID()}), nlmsg.AppendDone(nil, &nlmsg.ExtAck{Request: req}, 0, nlmsg.AckOptions{PortID: f.PortID()})}
	for _, lie := range lies {
		if err := f.lie(lie); err != nil {
			return err
		}
	}
	return f.Transport.Send(b)
}

func TestForgedMessages(t *testing.T) { onBoth(t, forgedMessages) }

func forgedMessages(t *testing.T, w world) {
	victim, lie := w.victim(t)
	c := New(forger{victim, lie})
	defer c.Close()
	thousandGoodRequests(t, c)
	families := 0
	for m, err := range c.Dump(t.Context(), ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
		if id, e := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16(); id == 666 || e != nil || err != nil {
			t.Fatalf("family %d, %v, %v", id, e, err)
		}
		families++
	}
	if s := c.Stats(); families == 0 || s != (Stats{Foreign: 3003}) {
		t.Errorf("%d families, %+v", families, s)
	}
}

// Contexts end under load.
func TestCancelUnderLoad(t *testing.T) { onBoth(t, cancelUnderLoad) }

func cancelUnderLoad(t *testing.T, w world) {
	c := w.generic(t)
	var wg sync.WaitGroup
	for id := range 8 {
		wg.Go(func() {
			for i := range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+id)%2 == 0 {
					go cancel()
				}
				r := ctrlRequest(c, nlmsg.FlagAck, genlmsg.CtrlCmdGetFamily)
				r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
				m, err := c.Do(ctx, r)
				switch {
				case err == nil:
					familyID(t, m)
				case !errors.Is(err, context.Canceled):
					t.Error(err)
				}
				if i%20 == 0 {
					for _, err := range c.Dump(ctx, ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
						if err != nil && !errors.Is(err, context.Canceled) {
							t.Error(err)
						}
					}
				}
				cancel()
				r.Release()
			}
		})
	}
	wg.Wait()
	thousandGoodRequests(t, c)
}
