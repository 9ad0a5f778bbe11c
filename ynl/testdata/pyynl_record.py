#!/usr/bin/env python3
"""Runs operations with the kernel's own Python implementation (pyynl) and records
what it sends, receives and prints, a line of JSON each:

    {"spec", "op", "mode", "vals", "request", "raw", "json"}

request and raw are messages in hex. It changes the network namespace that it runs
in: call it through unshare -n.

    unshare -n python3 pyynl_record.py TOOLS SPECS [DATAGRAMS] > live.jsonl

TOOLS is tools/net/ynl of a kernel tree, SPECS the directory of its specs. DATAGRAMS
is a file of recorded datagrams, which are decoded as well: lines of a machine, a
protocol, a direction, a label and the bytes in hex.
"""
import contextlib
import copy
import glob
import json
import os
import resource
import signal
import struct
import sys

sys.path.insert(0, sys.argv[1])
from pyynl.lib import YnlFamily, Netlink  # noqa: E402
from pyynl.lib.ynl import GenlProtocol, NlAttrs, NlMsg  # noqa: E402
from pyynl.cli import YnlEncoder  # noqa: E402

SPECS = sys.argv[2]
NFT = 1  # inet
CREATE = [Netlink.NLM_F_CREATE, Netlink.NLM_F_EXCL]


class Recorder:
    """A family whose traffic is kept."""

    def __init__(self, spec):
        self.spec = spec
        self.ynl = YnlFamily(f"{SPECS}/{spec}.yaml", schema="", process_unknown=True)
        self.raw, self.requests = [], []
        recvmsg, encode = self.ynl._recvmsg, self.ynl._encode_message

        def receive(flags=0):
            reply, ancillary = recvmsg(flags)
            self.raw.append(reply.hex())
            return reply, ancillary

        def encode_message(*args):
            message = encode(*args)
            self.requests.append(message.hex())
            return message

        self.ynl._recvmsg, self.ynl._encode_message = receive, encode_message

    def run(self, op, mode, vals, flags=None):
        """Runs one operation and prints its record; errors go to standard error."""
        self.raw.clear()
        self.requests.clear()
        given, vals = vals, copy.deepcopy(vals)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # warnings of the kernel
                if mode == "dump":
                    result = self.ynl.dump(op, vals)
                else:
                    result = self.ynl.do(op, vals, list(flags or []))
        except Exception as error:  # an operation that this kernel does not have
            print(f"{self.spec} {op} {mode}: {type(error).__name__} {error}", file=sys.stderr)
            self.ynl.sock.close()
            self.__init__(self.spec)
            return None
        record = {"spec": self.spec, "op": op, "mode": mode, "vals": given,
                  "request": self.requests[0], "raw": list(self.raw), "json": result}
        print(json.dumps(record, cls=YnlEncoder))
        return result


def write():
    """Makes links, addresses, routes, rules, neighbours and qdiscs."""
    link = Recorder("rt-link")
    link.run("newlink", "do", {"ifi-index": 1, "ifi-flags": 1, "ifi-change": 1})
    kinds = {
        "bridge": {"forward-delay": 400, "group-fwd-mask": 8},
        "ifb": None, "dummy": None, "vrf": {"table": 10}, "bond": {"mode": 1, "miimon": 100},
        "geneve": {"id": 3, "remote": "10.0.0.1"}, "gre": {"local": "10.0.0.1", "remote": "10.0.0.2", "ttl": 9},
        "sit": {"local": "10.0.0.1"}, "ipip": {"local": "10.0.0.1"}, "netkit": {"mode": "l2"},
    }
    for kind, data in kinds.items():
        info = {"kind": kind}
        if data:
            info["data"] = data
        link.run("newlink", "do", {"ifname": f"x-{kind}", "linkinfo": info}, CREATE)
    os.system("ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up;"
              "ip link add link v0 name v0.5 type vlan id 5; ip link set v1 master x-bridge;"
              "ip link set x-bridge up; ip link set x-ifb up")
    link.run("setlink", "do", {"ifi-index": 1, "mtu": 60000, "ifalias": "loop"})
    index = {n: i for i, n in __import__("socket").if_nameindex()}
    addr = Recorder("rt-addr")
    addr.run("newaddr", "do", {"ifa-family": 2, "ifa-prefixlen": 24, "ifa-index": index["v0"],
                               "local": "10.1.0.1", "address": "10.1.0.1"}, CREATE)
    addr.run("newaddr", "do", {"ifa-family": 10, "ifa-prefixlen": 64, "ifa-index": index["v0"],
                               "address": "fd00::1", "flags": ["nodad"]}, CREATE)
    route = Recorder("rt-route")
    route.run("newroute", "do", {"rtm-family": 2, "rtm-dst-len": 24, "rtm-table": 254, "rtm-protocol": 4,
                                 "rtm-scope": 0, "rtm-type": 1, "dst": "10.2.0.0", "gateway": "10.1.0.2",
                                 "oif": index["v0"], "metrics": {"mtu": 1400}}, CREATE)
    route.run("newroute", "do", {"rtm-family": 10, "rtm-dst-len": 64, "rtm-table": 254, "rtm-protocol": 4,
                                 "rtm-type": 1, "dst": "fd01::", "gateway": "fd00::2", "oif": index["v0"]}, CREATE)
    rule = Recorder("rt-rule")
    rule.run("newrule", "do", {"family": 2, "table": 100, "action": 1, "priority": 99, "fwmark": 7,
                               "sport-range": {"start": 10, "end": 20}}, CREATE)
    neigh = Recorder("rt-neigh")
    neigh.run("newneigh", "do", {"ndm-family": 2, "ndm-ifindex": index["v0"], "ndm-state": 128,
                                 "dst": "10.1.0.9", "lladdr": "02:00:00:00:00:01"}, CREATE)
    tc = Recorder("tc")
    qdiscs = {"pfifo": {"limit": 10}, "fq_codel": {"limit": 100, "target": 5000}, "sfq": {}, "prio": {"bands": 3},
              "tbf": {}, "netem": {"latency": 1, "limit": 10}, "fq": {"plimit": 50}, "htb": None, "clsact": {}, "codel": {"limit": 9}}
    for handle, (kind, options) in enumerate(qdiscs.items(), 1):
        parent = 0xfffffff1 if kind == "clsact" else 0xffffffff
        vals = {"ifindex": index["v0"], "parent": parent, "handle": 0xffff0000 if kind == "clsact" else handle << 16, "kind": kind}
        if options is not None:
            vals["options"] = options
        tc.run("newqdisc", "do", vals, CREATE)
        read(["tc"])
        if kind != "clsact":
            tc.run("delqdisc", "do", {"ifindex": index["v0"], "parent": parent})
    ethtool = Recorder("ethtool")
    for feature in ("rx-gro", "rx-gro-list"):
        ethtool.run("features-set", "do", {"header": {"dev-name": "v0"}, "wanted": {"bits": {"bit": [
            {"name": feature, "value": True}]}}})
    os.system("ip tuntap add x-tap mode tap; ip link set x-tap up;"
              "tc qdisc add dev v0 root handle 1: htb default 10 && tc class add dev v0 parent 1: classid 1:10 htb rate 1mbit;"
              "tc filter add dev v0 parent 1: protocol ip prio 5 u32 match ip dst 10.1.0.9/32 flowid 1:10;"
              "tc qdisc add dev v0 clsact; tc chain add dev v0 ingress chain 7;"
              "tc filter add dev v0 ingress protocol all prio 6 u32 match u32 0 0 action mirred egress redirect dev x-ifb")
    read(["tc"])
    mptcp = Recorder("mptcp_pm")
    mptcp.run("add-addr", "do", {"addr": {"family": 2, "addr4": 0x0a010001, "flags": 1}})
    mptcp.run("set-limits", "do", {"rcv-add-addrs": 2, "subflows": 2})


def nftables():
    """Makes a table with a chain, a rule, a set with elements and a counter."""
    nft = Recorder("nftables")
    batch = ("batch-begin", {"res-id": 10}), ("batch-end", {"res-id": 10})
    payload = {"name": "payload", "data": {"dreg": 1, "base": 1, "offset": 12, "len": 4}}
    compare = {"name": "cmp", "data": {"sreg": 1, "op": "eq", "data": {"value": "0a010009"}}}
    changes = [
        ("newtable", {"nfgen-family": NFT, "name": "t"}),
        ("newchain", {"nfgen-family": NFT, "table": "t", "name": "c", "type": "filter", "policy": 1,
                      "hook": {"num": 3, "priority": 5}}),
        ("newrule", {"nfgen-family": NFT, "table": "t", "chain": "c", "expressions": {"elem": [
            payload, compare, {"name": "counter", "data": {"bytes": 1, "packets": 1}}]}}),
        ("newrule", {"nfgen-family": NFT, "table": "t", "chain": "c", "expressions": {"elem": [
            {"name": "ct", "data": {"dreg": 1, "key": "state"}},
            {"name": "meta", "data": {"dreg": 2, "key": "iifname"}}]}}),
        ("newset", {"nfgen-family": NFT, "table": "t", "name": "s", "key-type": 7, "key-len": 4, "id": 1}),
        ("newsetelem", {"nfgen-family": NFT, "table": "t", "set": "s", "elements": {"elem": [
            {"key": {"value": "0a010001"}}, {"key": {"value": "0a010002"}}]}}),
        ("newobj", {"nfgen-family": NFT, "table": "t", "name": "n", "type": "counter", "data": {"bytes": 5, "packets": 6}}),
        ("newflowtable", {"nfgen-family": NFT, "table": "t", "name": "f", "hook": {
            "num": 0, "priority": 0, "devs": {"name": ["v0"]}}}),
    ]
    for op, vals in changes:
        begin, end = copy.deepcopy(batch)  # the other implementation empties its arguments
        ops = [begin + ([],), (op, vals, CREATE[:1]), end + ([],)]
        try:
            nft.ynl.do_multi(ops)
        except Exception as error:
            print(f"nftables {op}: {type(error).__name__} {error}", file=sys.stderr)
            nft = Recorder("nftables")


def traffic():
    """Makes connections that conntrack and the TCP metrics keep."""
    import socket
    os.system("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.ipv4.tcp_no_metrics_save=0")
    with socket.create_server(("10.1.0.1", 0)) as server:
        for _ in range(3):
            with socket.create_connection(server.getsockname()) as client:
                peer, _ = server.accept()
                peer.send(b"x" * 9000)
                client.recv(9000)
                client.send(b"y")
                peer.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(b"x", ("10.1.0.1", 999))


def replay(path):
    """Decodes recorded replies, a line for each datagram."""
    by_value, families = {}, {}
    for file in sorted(glob.glob(f"{SPECS}/*.yaml")):
        spec = os.path.basename(file)[:-5]
        GenlProtocol.genl_family_name_to_id = AnyFamily()
        family = YnlFamily(file, schema="", process_unknown=True)
        families[spec] = family
        by_value.setdefault((family.nlproto.proto_num, family.yaml["name"] if family.nlproto.proto_num == 16 else ""), []).append(spec)
    ids = {}
    for line in open(path, encoding="ascii"):
        machine, protocol, direction, label, data = line.split()
        protocol, data = int(protocol), bytes.fromhex(data)
        if direction == "tx" or "short" in label or "bad" in label:
            continue
        out = {}
        for message in replies(data):
            name = ids.get((machine, message.nl_type), "nlctrl" if message.nl_type == 16 else "?") if protocol == 16 else ""
            for spec in by_value.get((protocol, name), []):
                family = families[spec]
                number = message.raw[0] if protocol == 16 else message.nl_type
                op = family.rsp_by_value.get(number)
                if op is None or op.is_async:
                    continue
                try:
                    signal.alarm(2)  # malformed attributes make it loop
                    decoded = family.nlproto._decode(message)
                    raw_attrs = NlAttrs(decoded.raw, family.struct_size(op.fixed_header))
                    with contextlib.redirect_stdout(sys.stderr):
                        result = family._decode(raw_attrs, op.attr_set.name)
                    if op.fixed_header:
                        result.update(family._decode_struct(decoded.raw, op.fixed_header))
                except Exception as error:
                    print(f"{label} {spec} {op.name}: {type(error).__name__} {error}", file=sys.stderr)
                    continue
                finally:
                    signal.alarm(0)
                if spec == "nlctrl" and "family-name" in result:
                    ids[machine, result["family-id"]] = result["family-name"]
                mode = "dump" if message.nl_flags & 2 else "do"
                raw = message.hdr + message.raw
                out.setdefault((spec, op.name, mode), []).append((raw, result))
                break
        for (spec, op, mode), list_ in out.items():
            result = [x[1] for x in list_]
            if mode == "do" and len(result) == 1:
                result = result[0]
            raw = b"".join(x[0] + b"\0" * (-len(x[0]) % 4) for x in list_)
            print(json.dumps({"spec": spec, "op": op, "mode": mode, "vals": None, "request": "",
                              "raw": [raw.hex()], "json": result}, cls=YnlEncoder))


def replies(data):
    """The messages of a datagram without errors and acknowledgements."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind = struct.unpack_from("IH", data, offset)
        if length < 16 or offset + length > len(data):
            return
        if kind >= 16:
            yield NlMsg(data, offset)
        offset += (length + 3) & ~3


class AnyFamily(dict):
    """Families that this kernel may not have."""

    def __bool__(self):
        return True

    def __missing__(self, name):
        return {"id": 0, "mcast": {}}


def read(specs):
    """Runs every dump of the specs, and GETs of devices and families."""
    for spec in specs:
        try:
            family = Recorder(spec)
        except Exception as error:  # a family that this kernel does not have
            print(f"{spec}: {type(error).__name__} {error}", file=sys.stderr)
            continue
        for op, o in family.ynl.ops.items():
            if "dump" in o.modes:
                family.run(op, "dump", {})
            if spec == "ethtool" and "do" in o.modes and op.endswith("-get"):
                for device in ("lo", "v0", "x-bridge", "x-tap"):
                    family.run(op, "do", {"header": {"dev-name": device}})
    for op, mode, vals in extra():
        if op[0] in specs:
            Recorder(op[0]).run(op[1], mode, vals)


def extra():
    """Requests that need attributes."""
    index = {n: i for i, n in __import__("socket").if_nameindex()}
    yield ("ethtool", "strset-get"), "do", {"header": {"dev-name": "lo"}, "stringsets": {"stringset": [{"id": 4}]}}
    yield ("ethtool", "features-get"), "do", {"header": {"dev-name": "v0", "flags": ["compact-bitsets"]}}
    yield ("ethtool", "stats-get"), "do", {"header": {"dev-name": "v0"}, "groups": {"size": 5, "bits": {"bit": [{"index": 0}]}}}
    for name in ("ethtool", "nlctrl", "netdev", "nl80211", "mptcp_pm", "devlink"):
        yield ("nlctrl", "getfamily"), "do", {"family-name": name}
        yield ("nlctrl", "getpolicy"), "dump", {"family-name": name}
    for device in ("lo", "v0", "v1", "x-bridge", "x-ifb"):
        i = index.get(device, 1)
        yield ("rt-link", "getlink"), "do", {"ifi-index": i}
        yield ("rt-link", "getlink"), "do", {"ifi-index": i, "ext-mask": 9}
        yield ("rt-link", "getstats"), "do", {"ifindex": i, "filter-mask": 1}
        yield ("rt-link", "getstats"), "dump", {"filter-mask": 31}
        yield ("netdev", "dev-get"), "do", {"ifindex": i}
        yield ("netdev", "queue-get"), "dump", {"ifindex": i}
        yield ("netdev", "queue-get"), "do", {"ifindex": i, "type": "rx", "id": 0}
        yield ("netdev", "qstats-get"), "dump", {"ifindex": i}
        yield ("tc", "getchain"), "dump", {"ifindex": i}
        yield ("tc", "gettclass"), "dump", {"ifindex": i}
        yield ("tc", "gettfilter"), "dump", {"ifindex": i}
        yield ("tc", "getqdisc"), "dump", {"ifindex": i}
        yield ("tc", "gettfilter"), "dump", {"ifindex": i, "parent": 0x10000}
        yield ("tc", "gettfilter"), "dump", {"ifindex": i, "parent": 0xfffffff2}
        yield ("tc", "getchain"), "dump", {"ifindex": i, "parent": 0xfffffff2}
        yield ("tc", "gettclass"), "do", {"ifindex": i, "handle": 0x10010}
        yield ("tc", "getqdisc"), "do", {"ifindex": i, "handle": 0x10000}
        yield ("tc", "getchain"), "do", {"ifindex": i, "parent": 0xfffffff2, "chain": 7}
        yield ("rt-link", "getstats"), "dump", {"filter-mask": 8}
    yield ("rt-route", "getroute"), "do", {"rtm-family": 2, "dst": "10.2.0.1", "rtm-dst-len": 32}
    yield ("rt-route", "getroute"), "dump", {"rtm-family": 10}
    yield ("rt-neigh", "getneigh"), "dump", {"ndm-family": 2}
    yield ("rt-neigh", "getneigh"), "do", {"ndm-ifindex": index.get("v0", 1), "ndm-family": 2, "dst": "10.1.0.9"}
    yield ("rt-addr", "getaddr"), "dump", {"ifa-family": 2}
    yield ("rt-addr", "getmulticast"), "dump", {"ifa-family": 10}
    yield ("rt-addr", "getmulticast"), "dump", {"ifa-family": 2}
    table = {"nfgen-family": NFT, "table": "t"}
    yield ("nftables", "gettable"), "do", {"nfgen-family": NFT, "name": "t"}
    yield ("nftables", "getchain"), "do", table | {"name": "c"}
    yield ("nftables", "getrule"), "dump", table
    yield ("nftables", "getset"), "do", table | {"name": "s"}
    yield ("nftables", "getsetelem"), "dump", table | {"set": "s"}
    yield ("nftables", "getsetelem"), "do", table | {"set": "s", "elements": {"elem": [{"key": {"value": "0a010001"}}]}}
    yield ("nftables", "getobj"), "do", table | {"name": "n", "type": "counter"}
    yield ("nftables", "getgen"), "do", {}
    yield ("nftables", "getrule"), "do", table | {"chain": "c", "handle": 2}
    yield ("nftables", "getrule"), "do", table | {"chain": "c", "handle": 3}
    yield ("nftables", "getrule-reset"), "dump", table
    yield ("nftables", "getflowtable"), "do", table | {"name": "f"}
    yield ("conntrack", "get-stats"), "dump", {"nfgen-family": 2}
    yield ("conntrack", "get"), "dump", {"nfgen-family": 2}
    yield ("tcp_metrics", "get"), "do", {"addr-ipv4": "10.1.0.1"}
    yield ("mptcp_pm", "get-limits"), "do", {}
    yield ("mptcp_pm", "get-addr"), "do", {"addr": {"id": 1}}


def interrupted(*_):
    raise TimeoutError()


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, interrupted)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    write()
    nftables()
    traffic()
    read(sorted(os.path.basename(f)[:-5] for f in glob.glob(f"{SPECS}/*.yaml")))
    if len(sys.argv) > 3:
        replay(sys.argv[3])
