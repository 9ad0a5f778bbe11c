package bus

import (
	"slices"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// ethtoolOp is an operation of ethtool with the kernel's recorded answers, by the flags in
// the request header: for one device, and for all.
type ethtoolOp struct {
	one map[[2]uint32]*learned // by device and flags
	all map[uint32]*learned

	needsHeader bool // dumps without a header are refused: before Linux 6.12

	noHeader *learned // the answer to a request without a header
	noPHY    *learned // the answer to the index of a PHY, if the operation searches for one
}

const (
	ethtoolHeader = 1 // the header attribute of all operations

	ethtoolIndex = 1 // nested in the header
	ethtoolName  = 2
	ethtoolFlags = 3
	ethtoolPHY   = 4
)

// completeEthtool makes the twin parse headers as net/ethtool/netlink.c does. Operations
// with only a header get the kernel's answers. It returns their commands.
func completeEthtool(t *testing.T, c *conn.Conn, k *kernelFamily, f *Family, devices map[uint32]string) []uint8 {
	t.Helper()
	const resvStartOp = 35
	f.ResvStartOp = resvStartOp
	var cmds []uint8
	for i := range f.Ops {
		op := &f.Ops[i]
		exported, _ := k.Op(op.Cmd)
		isGet := exported.Flags&genlmsg.OpAdmin == 0 && exported.Flags&genlmsg.OpUnsAdmin == 0 && op.Do != nil && op.Dump != nil
		if !isGet || op.Policy.MaxType() != ethtoolHeader || slices.Contains(ethtoolOwn, op.Cmd) {
			continue
		}
		e := learnEthtool(t, c, k, op, devices)
		op.Do = func(i *Info) error { return e.do(i, devices) }
		op.Start = func(d *Dump) error {
			if e.needsHeader && !d.Attrs.Has(ethtoolHeader) {
				return d.Require(ethtoolHeader)
			}
			_, _, err := parseEthtoolHeader(&d.Info, devices, false)
			return err
		}
		op.Dump = func(d *Dump) error { return e.all[headerTable(&d.Info).Uint32(ethtoolFlags)].dump(d) }
		cmds = append(cmds, op.Cmd)
	}
	return cmds
}

// ethtoolOwn contains the operations that do not use ethnl_default_doit.
var ethtoolOwn = []uint8{28, 45}

func learnEthtool(t *testing.T, c *conn.Conn, k *kernelFamily, op *Op, devices map[uint32]string) *ethtoolOp {
	t.Helper()
	e := &ethtoolOp{one: map[[2]uint32]*learned{}, all: map[uint32]*learned{}}
	header := func(index, flags, phy uint32) []byte {
		b := nla.Begin(nil, ethtoolHeader)
		for typ, v := range map[uint16]uint32{ethtoolIndex: index, ethtoolFlags: flags, ethtoolPHY: phy} {
			if v != 0 {
				b = nla.AppendUint32(b, typ, v)
			}
		}
		return nla.End(b, 0)
	}
	for flags := range uint32(8) { // the policy rejects invalid flags
		e.all[flags] = learn(t, c, &k.Family, op.Cmd, nlmsg.FlagDump, header(0, flags, 0))
		for index := range devices {
			e.one[[2]uint32{index, flags}] = learn(t, c, &k.Family, op.Cmd, 0, header(index, flags, 0))
		}
	}
	e.noHeader = learn(t, c, &k.Family, op.Cmd, 0, nil)
	e.needsHeader = learn(t, c, &k.Family, op.Cmd, nlmsg.FlagDump, nil).errno == errno.EINVAL
	if l := learn(t, c, &k.Family, op.Cmd, 0, header(1, 0, 1)); l.msg == "no phy matching phyindex" {
		e.noPHY = l
	}
	return e
}

func (e *ethtoolOp) do(i *Info, devices map[uint32]string) error {
	if !i.Attrs.Has(ethtoolHeader) {
		if e.noHeader.msg != "" { // before Linux 6.1
			return e.noHeader.reply(i)
		}
		return i.Require(ethtoolHeader)
	}
	index, flags, err := parseEthtoolHeader(i, devices, true)
	if err != nil {
		return err
	}
	if header := i.Attrs.Get(ethtoolHeader); e.noPHY != nil && headerTable(i).Uint32(ethtoolPHY) != 0 {
		i.SetAttrMsg(header, e.noPHY.msg)
		return e.noPHY.errno
	}
	return e.one[[2]uint32{index, flags}].reply(i)
}

func headerTable(i *Info) *nla.Table {
	tb := &nla.Table{Slots: make([]uint32, ethtoolPHY+1)}
	_ = policy.Parse(tb, i.Attrs.Bytes(ethtoolHeader), nil, policy.Liberal) // already validated
	return tb
}

// parseEthtoolHeader does what ethnl_parse_header_dev_get does.
func parseEthtoolHeader(i *Info, devices map[uint32]string, needsDevice bool) (index, flags uint32, err error) {
	header := i.Attrs.Get(ethtoolHeader)
	if header == nil {
		return 0, 0, nil
	}
	tb := &nla.Table{Slots: make([]uint32, ethtoolPHY+1)}
	if err := i.ParseNested(tb, header, nil); err != nil {
		return 0, 0, err
	}
	flags = tb.Uint32(ethtoolFlags)
	switch {
	case tb.Has(ethtoolIndex):
		index = tb.Uint32(ethtoolIndex)
		name, ok := devices[index]
		if !ok {
			i.SetAttrMsg(tb.Get(ethtoolIndex), "no device matches ifindex")
			return 0, 0, enodev
		}
		if tb.Has(ethtoolName) && name != string(tb.Text(ethtoolName)) {
			i.SetAttrMsg(header, "ifindex and name do not match")
			return 0, 0, enodev
		}
	case tb.Has(ethtoolName):
		for i, name := range devices {
			if name == string(tb.Text(ethtoolName)) {
				index = i
			}
		}
		if index == 0 {
			i.SetAttrMsg(tb.Get(ethtoolName), "no device matches name")
			return 0, 0, enodev
		}
	case needsDevice:
		i.SetAttrMsg(header, "neither ifindex nor name specified")
		return 0, 0, errno.EINVAL
	}
	if tb.Has(ethtoolPHY) && index == 0 {
		i.SetAttrMsg(header, "phy_index set without a netdev")
		return 0, 0, errno.EINVAL
	}
	return index, flags, nil
}
