package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// wanted are the modules that are loaded with those that they depend on: first what the guest
// reads its disks with, then the families of Generic Netlink, kinds of devices, and the users of
// other protocols. Kernels that lack one of them have it built in, or do not have it at all.
var wanted = strings.Fields(`
	virtio_pci virtio_mmio virtio_blk crc32c_generic crc32c_intel
	mac80211_hwsim wireguard macsec team openvswitch tipc batman-adv gtp l2tp_netlink l2tp_eth nbd ovpn ip_vs ieee802154_socket
	mac802154_hwsim nl802154 drop_monitor psample hsr fou ila seg6 nfc smc vdpa target_core_user tcm_loop pmcraid drbd dlm
	dpll netdevsim net_failover mptcp_diag handshake
	veth bridge dummy macvlan macvtap ipvlan vxlan geneve ifb nlmon 8021q bonding tun vcan vrf ipip ip_gre ip6_gre sit
	nf_tables nft_counter nft_compat nft_ct nft_limit nft_log nft_nat nft_masq nft_reject_inet nft_chain_nat nfnetlink_log nfnetlink_queue
	nfnetlink_acct nfnetlink_cttimeout nfnetlink_cthelper nf_conntrack_netlink ip_set ip_set_hash_ip xt_conntrack iptable_filter
	inet_diag tcp_diag udp_diag raw_diag unix_diag netlink_diag af_packet_diag sctp_diag vsock_diag
	xfrm_user esp4 ah4 sch_fq sch_fq_codel sch_htb sch_ingress cls_u32 cls_flower cls_basic act_mirred act_gact act_police
	can can-raw crypto_user mpls_router mpls_iptunnel
`)

// modules returns the paths of the modules in the order in which they must be loaded. depmod
// writes modules.dep, where the dependencies of a module follow it in the reverse order.
func modules(ctx context.Context, tools tree, root, version string) ([]string, error) {
	cmd := tools.command(ctx, "/usr/sbin/depmod", "-b", root, version)
	if _, err := output(cmd); err != nil {
		return nil, err
	}
	dep, err := os.ReadFile(filepath.Join(root, "lib/modules", version, "modules.dep"))
	return loadOrder(string(dep), wanted), err
}

// loadOrder returns the paths of the modules with these names and their dependencies.
func loadOrder(dep string, names []string) (order []string) {
	lines := map[string][]string{}
	for line := range strings.Lines(dep) {
		path, needs, _ := strings.Cut(strings.TrimSpace(line), ":")
		lines[moduleName(path)] = append([]string{path}, strings.Fields(needs)...)
	}
	for _, name := range names {
		for _, path := range slices.Backward(lines[strings.ReplaceAll(name, "-", "_")]) {
			if !slices.Contains(order, path) {
				order = append(order, path)
			}
		}
	}
	return order
}

// moduleName returns the name that the kernel gives to a module in this file.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// readModule returns a module, decompressed.
func readModule(ctx context.Context, tools tree, path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".xz") {
		return b, err
	}
	cmd := tools.command(ctx, "/usr/bin/xz", "-dc")
	cmd.Stdin = bytes.NewReader(b)
	return output(cmd)
}

// tree is a directory with unpacked packages for amd64.
type tree string

// command runs a program of the tree with its own loader and libraries, whatever the host has.
func (t tree) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	libs := t.path("/usr/lib/x86_64-linux-gnu")
	args = append([]string{"--library-path", libs + ":" + libs + "/systemd", t.path(program)}, args...)
	return exec.CommandContext(ctx, t.path("/lib64/ld-linux-x86-64.so.2"), args...)
}

func (t tree) path(p string) string { return filepath.Join(string(t), p) }
