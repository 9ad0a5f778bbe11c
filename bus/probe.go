package bus

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Probed contains the methods of a socket that [Probe] calls. A *socket.Socket of
// socket.Generic and a *Port implement it.
type Probed interface {
	Send(b []byte) error
	TryReceive(b []byte) (n int, info socket.Info, err error)
	SetFlag(f socket.Flag, on bool) error
	SetReceiveBuffer(bytes int) error
}

// Probe detects the features of the running kernel, by requests that change nothing and need
// no privileges. It sends requests to the controller and to the family netdev if there is
// one, and fills a receive buffer. Some features cannot be detected: FeatureMissing,
// FeatureDoneExtAck, FeatureUintPolicy, FeatureFuncPolicy, and FeatureRejectSplit without
// netdev. Probe takes those from the preset that differs in the fewest detected features, and
// from the newest one if several match equally well.
//
// Probe changes options of the socket and leaves its queue empty. Use a separate socket for
// it.
func Probe(t Probed) (Features, error) {
	if err := t.SetFlag(socket.ExtAck, true); err != nil {
		return 0, fmt.Errorf("bus: probe: %w", err)
	}
	p := prober{t: t, buf: make([]byte, socket.BufferSize)}
	p.doneOfFamilies()
	p.controller()
	p.netdev()
	p.receiveBuffer()
	if p.err != nil {
		return 0, fmt.Errorf("bus: probe: %w", p.err)
	}
	return p.found | nearest(p.found, p.known)&^p.known, nil
}

// nearest returns the preset that differs in the fewest known features, and the newest if
// several match equally well.
func nearest(found, known Features) Features {
	best := presets[0].features
	distance := func(f Features) int { return bits.OnesCount32(uint32((f ^ found) & known)) }
	for _, p := range presets {
		if distance(p.features) < distance(best) {
			best = p.features
		}
	}
	return best
}

// prober collects the results of probes.
type prober struct {
	t            Probed
	buf          []byte
	seq          uint32
	found, known Features
	err          error // the first
}

// learn records whether the kernel has a feature.
func (p *prober) learn(f Features, has bool) {
	p.known |= f
	if has {
		p.found |= f
	}
}

// probeAnswer is the reply to a request, with its last message parsed.
type probeAnswer struct {
	list  []nlmsg.Msg  // the messages before the Error or Done
	ack   nlmsg.ExtAck // of the Error or Done
	alone bool         // the Done was in a separate datagram
}

// ask sends a request and receives the reply, with buffers of the given size.
func (p *prober) ask(typ nlmsg.Type, flags nlmsg.Flags, payload []byte, size int) (a probeAnswer) {
	p.seq++
	b := nlmsg.Begin(nil, typ, nlmsg.FlagRequest|flags, p.seq, 0)
	if p.err == nil {
		p.err = p.t.Send(nlmsg.End(append(b, payload...), 0))
	}
	for p.err == nil {
		n, _, err := p.t.TryReceive(p.buf[:size])
		if err != nil {
			p.err = fmt.Errorf("answer to a request of type %d: %w", typ, err)
			break
		}
		for m, err := range nlmsg.All(p.buf[:n]) {
			switch {
			case err != nil:
				p.err = err
			case m.Type() == nlmsg.TypeError:
				a.ack, p.err = nlmsg.ParseAck(m.Clone())
				return a
			case m.Type() == nlmsg.TypeDone:
				a.alone = len(m) == n
				a.ack, p.err = nlmsg.ParseDone(m.Clone())
				return a
			default:
				a.list = append(a.list, m.Clone())
			}
		}
	}
	return a
}

// ctrl sends a request to the controller.
func (p *prober) ctrl(cmd uint8, flags nlmsg.Flags, attrs []byte, size int) probeAnswer {
	return p.ask(genlmsg.IDCtrl, flags, append(genlmsg.Append(nil, cmd, genlmsg.CtrlVersion), attrs...), size)
}

// controller detects the features that replies of the controller show.
func (p *prober) controller() {
	const noCmd, noAttr = 250, 1000
	size := len(p.buf)
	reserved := genlmsg.Append(nil, noCmd, genlmsg.CtrlVersion)
	reserved[2] = 1
	a := p.ask(genlmsg.IDCtrl, nlmsg.FlagAck, reserved, size)
	p.learn(FeatureResvStartOp, a.ack.Errno == errno.EINVAL) // otherwise EOPNOTSUPP

	id := nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, genlmsg.IDCtrl)
	a = p.ctrl(genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, nla.AppendUint32(id, genlmsg.CtrlAttrOp, noCmd), size)
	p.learn(FeatureStartExtAck, a.ack.Offset != 0)

	a = p.ctrl(genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, id, size)
	hasCmd := false
	for _, m := range a.list {
		op, _ := nla.Consume(nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrOpPolicy).Payload())
		hasCmd = hasCmd || op.Type() == genlmsg.CtrlCmdGetPolicy
	}
	p.learn(FeatureDumpOpCmd, hasCmd)

	a = p.ctrl(genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nla.AppendUint32(nil, noAttr, 0), size)
	p.learn(FeatureSplitOps, a.ack.Errno == errno.EINVAL)
}

// doneOfFamilies detects where the Done of the list of families is. If the families fill
// their datagram, it is also in a separate datagram, but not at every size. The sizes
// increase, because the kernel makes datagrams up to the largest size with which the socket
// has received (netlink_recvmsg); the first datagram has up to 8 KiB (NLMSG_GOODSIZE).
func (p *prober) doneOfFamilies() {
	together := false
	for size := 8 << 10; size <= 11<<10; size += 1 << 10 {
		together = together || !p.ctrl(genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nil, size).alone
	}
	p.learn(FeatureFamiliesDone, together)
}

// netdev tests a dump without a policy: dev-get of the family netdev.
func (p *prober) netdev() {
	const devGet, noAttr = 1, 1000
	name := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "netdev")
	a := p.ctrl(genlmsg.CtrlCmdGetFamily, nlmsg.FlagAck, name, len(p.buf))
	if len(a.list) == 0 {
		return
	}
	id, err := nla.Find(genlmsg.Attrs(a.list[0], 0), genlmsg.CtrlAttrFamilyID).Uint16()
	if err != nil && p.err == nil {
		p.err = err
	}
	payload := nla.AppendUint32(genlmsg.Append(nil, devGet, 1), noAttr, 0)
	a = p.ask(nlmsg.Type(id), nlmsg.FlagDump, payload, len(p.buf))
	p.learn(FeatureRejectSplit, a.ack.Errno == errno.EINVAL)
}

// receiveBuffer counts the small datagrams that fit into a receive buffer.
func (p *prober) receiveBuffer() {
	const size, unknownType = 40_000, nlmsg.Type(genlmsg.MaxID)
	if p.err != nil {
		return
	}
	if p.err = p.t.SetReceiveBuffer(size / 2); p.err != nil { // the kernel doubles it
		return
	}
	request := nlmsg.End(genlmsg.Append(nlmsg.Begin(nil, unknownType, nlmsg.FlagRequest, 0, 0), 0, 0), 0)
	for range size / skBuff {
		if p.err = p.t.Send(request); p.err != nil {
			return
		}
	}
	count, err := 0, error(nil)
	for err != socket.ErrEmpty {
		switch _, _, err = p.t.TryReceive(p.buf); {
		case err == nil:
			count++
		case err != socket.ErrEmpty && !errors.Is(err, errno.ENOBUFS):
			p.err = err
			return
		}
	}
	fits := func(f Features) int { return size / f.trueSize(nlmsg.HeaderLen+4+len(request)) }
	p.learn(FeatureSmallHeads, count < fits(0))
	p.learn(FeatureWideHeads, count <= fits(FeatureSmallHeads|FeatureWideHeads))
}
