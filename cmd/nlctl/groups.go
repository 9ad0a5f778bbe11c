package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// membership is the groups of a protocol that monitor joins, on one socket.
type membership struct {
	protocol socket.Protocol
	groups   []uint32 // that must exist
	maybe    []uint32 // that are joined if they exist
	families []ctrl.Family
	socket   *socket.Socket
}

// open opens the socket and joins the groups.
func (g *membership) open(c *cli.Command) error {
	s, err := socket.Open(g.protocol, socket.WithPreferredFlags(socket.ExtAck))
	if err != nil {
		return err
	}
	g.socket = s
	if s.ForceReceiveBuffer(c.Int("buffer")) != nil {
		// Without the capability the system's limit applies.
		if err := s.SetReceiveBuffer(c.Int("buffer")); err != nil {
			return err
		}
	}
	if c.Bool("all-namespaces") {
		if err := s.SetFlag(socket.ListenAllNSID, true); err != nil {
			return fmt.Errorf("-all-namespaces: %w", err)
		}
	}
	for _, group := range g.groups {
		if err := s.Join(group); err != nil {
			return err
		}
	}
	joined := len(g.groups)
	for _, group := range g.maybe {
		if s.Join(group) == nil {
			joined++
		}
	}
	if joined == 0 {
		return fmt.Errorf("%s: none of its groups can be joined", g.protocol)
	}
	return nil
}

func (g *membership) close() {
	if g.socket != nil {
		_ = g.socket.Close() // nothing is to be received
	}
}

// isOverrun reports whether an error of a receive call means that datagrams were lost.
func isOverrun(err error) bool { return errno.Is(err, errno.ENOBUFS) }

// groupFinder finds the groups of the arguments of monitor.
type groupFinder struct {
	ctx    context.Context
	specs  *names
	client *ctrl.Client // for Generic Netlink families, opened when it is needed
	all    []*membership
}

// parseGroups returns the groups that the arguments select, for each protocol.
func parseGroups(ctx context.Context, specs *names, args []string) ([]*membership, error) {
	f := groupFinder{ctx: ctx, specs: specs}
	defer f.close()
	for _, arg := range args {
		name, group, hasGroup := strings.Cut(arg, ":")
		if hasGroup && group == "" {
			return nil, usageError{fmt.Errorf("%q has no group after the colon", arg)}
		}
		if err := f.add(name, group); err != nil {
			return nil, err
		}
	}
	return f.all, nil
}

func (f *groupFinder) close() {
	if f.client != nil {
		_ = f.client.Close() // all replies have been received
	}
}

// of returns the membership of a protocol.
func (f *groupFinder) of(p socket.Protocol) *membership {
	i := slices.IndexFunc(f.all, func(g *membership) bool { return g.protocol == p })
	if i < 0 {
		i = len(f.all)
		f.all = append(f.all, &membership{protocol: p})
	}
	return f.all[i]
}

// add adds a group of a protocol or family, or all groups if the group is "".
func (f *groupFinder) add(name, group string) error {
	if protocol, err := parseProtocol(name); err == nil {
		if protocol == socket.Generic {
			return f.generic(group)
		}
		return f.protocol(protocol, f.specs.protocol(protocol), group)
	}
	if spec, err := f.specs.spec(name); err == nil && spec.Protocol != ynl.GenericProtocol {
		return f.protocol(socket.Protocol(spec.Protocol), []*ynl.Spec{spec}, group)
	}
	return f.family(name, group)
}

// protocol adds groups of a protocol other than Generic Netlink.
func (f *groupFinder) protocol(p socket.Protocol, specs []*ynl.Spec, group string) error {
	g := f.of(p)
	known := groupsOf(p)
	for _, s := range specs {
		for _, sg := range s.Groups {
			if sg.Value != 0 {
				known = append(slices.Clip(known), protocolGroup{sg.Name, sg.Value})
			}
		}
	}
	if group == "" {
		if len(specs) == 1 && len(specs[0].Groups) > 0 {
			known = known[len(groupsOf(p)):] // a family, not the protocol
		}
		for _, k := range known {
			g.maybe = append(g.maybe, k.number)
		}
		for n := uint32(1); n <= 32 && len(known) == 0; n++ {
			g.maybe = append(g.maybe, n)
		}
		return nil
	}
	if n, ok := parseNumber(group, 32); ok && n > 0 {
		g.groups = append(g.groups, uint32(n))
		return nil
	}
	for _, k := range known {
		if k.name == group || strings.TrimPrefix(k.name, "rtnlgrp-") == group {
			g.groups = append(g.groups, k.number)
			return nil
		}
	}
	return usageError{fmt.Errorf("%s has no group %q; its groups are %s", p, group, listGroups(known))}
}

func listGroups(groups []protocolGroup) string {
	var list []string
	for _, g := range groups {
		list = append(list, strings.TrimPrefix(g.name, "rtnlgrp-"))
	}
	slices.Sort(list)
	return cmp.Or(strings.Join(slices.Compact(list), ", "), "not known by name")
}

// controller opens a client of the controller.
func (f *groupFinder) controller() (*ctrl.Client, error) {
	if f.client == nil {
		var err error
		if f.client, err = ctrl.Open(); err != nil {
			return nil, err
		}
	}
	return f.client, nil
}

// generic adds a group by its number, or all groups of all families.
func (f *groupFinder) generic(group string) error {
	if n, ok := parseNumber(group, 32); ok && n > 0 {
		g := f.of(socket.Generic)
		g.groups = append(g.groups, uint32(n))
		return nil
	}
	if group != "" {
		return usageError{fmt.Errorf("generic has no group %q; write a number, or FAMILY:GROUP", group)}
	}
	client, err := f.controller()
	if err != nil {
		return err
	}
	families, err := client.Families(f.ctx)
	if err != nil {
		return err
	}
	g := f.of(socket.Generic)
	for _, family := range families {
		g.families = append(g.families, family)
		for _, mg := range family.Groups {
			g.maybe = append(g.maybe, mg.ID)
		}
	}
	return nil
}

// family adds a group of a Generic Netlink family, or all its groups.
func (f *groupFinder) family(name, group string) error {
	client, err := f.controller()
	if err != nil {
		return err
	}
	family, err := client.Family(f.ctx, name)
	if errors.Is(err, ctrl.ErrUnknown) {
		return fmt.Errorf("%q is neither a protocol, nor a family with a spec, nor a family of the kernel", name)
	}
	if err != nil {
		return err
	}
	g := f.of(socket.Generic)
	g.families = append(g.families, family)
	if group == "" {
		if len(family.Groups) == 0 {
			return usageError{fmt.Errorf("family %s has no multicast groups", printable(name))}
		}
		for _, mg := range family.Groups {
			g.groups = append(g.groups, mg.ID)
		}
		return nil
	}
	id, ok := family.Group(group)
	if n, isNumber := parseNumber(group, 32); isNumber && !ok {
		id, ok = uint32(n), n > 0
	}
	if !ok {
		var list []string
		for _, mg := range family.Groups {
			list = append(list, printable(mg.Name)+" ("+strconv.Itoa(int(mg.ID))+")")
		}
		return usageError{fmt.Errorf("family %s has no group %q; its groups are %s", printable(name), group, strings.Join(list, ", "))}
	}
	g.groups = append(g.groups, id)
	return nil
}
