// Command firewall drops and counts the UDP datagrams to port 9. It sends a table, a chain
// and a rule to nftables in one batch: the kernel applies all of it or nothing.
package main

import (
	"context"
	"log"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

const (
	table = "nlwire"
	chain = "input"
	port  = 9
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	c, err := conn.Open(socket.Netfilter)
	if err != nil {
		return err
	}
	defer c.Close()

	// The first and last message have no FlagAck: Batch waits for the acknowledgements of the
	// others.
	const create = nlmsg.FlagAck | nlmsg.FlagCreate
	batch := []*conn.Request{
		request(c, "begin", unix.NFNL_MSG_BATCH_BEGIN, 0, nil),
		request(c, "table", message(unix.NFT_MSG_NEWTABLE), create|nlmsg.FlagExcl, appendTable),
		request(c, "chain", message(unix.NFT_MSG_NEWCHAIN), create, appendChain),
		request(c, "rule", message(unix.NFT_MSG_NEWRULE), create|nlmsg.FlagAppend, appendRule),
		request(c, "end", unix.NFNL_MSG_BATCH_END, 0, nil),
	}
	defer func() {
		for _, r := range batch {
			r.Release()
		}
	}()
	// This is the first error; the Err method of a request returns that of the request.
	return c.Batch(ctx, batch...)
}

// message returns the type of a message of nftables.
func message(number nlmsg.Type) nlmsg.Type { return unix.NFNL_SUBSYS_NFTABLES<<8 | number }

// request makes a request with a struct nfgenmsg of linux/netfilter/nfnetlink.h: family,
// version, and 16 big-endian bits, which in begin and end are the subsystem.
func request(c *conn.Conn, name string, typ nlmsg.Type, flags nlmsg.Flags, attrs func([]byte) []byte) *conn.Request {
	h := []byte{unix.NFPROTO_INET, unix.NFNETLINK_V0, 0, 0}
	if attrs == nil {
		h = []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, unix.NFNL_SUBSYS_NFTABLES}
	}
	r := c.Request(typ, flags, h)
	r.Op = name + " of the firewall"
	if attrs != nil {
		r.B = attrs(r.B)
	}
	return r
}

func appendTable(b []byte) []byte { return nla.AppendCString(b, unix.NFTA_TABLE_NAME, table) }

func appendChain(b []byte) []byte {
	b = nla.AppendCString(b, unix.NFTA_CHAIN_TABLE, table)
	b = nla.AppendCString(b, unix.NFTA_CHAIN_NAME, chain)
	b = nla.AppendCString(b, unix.NFTA_CHAIN_TYPE, "filter")
	hook := len(b)
	b = nla.Begin(b, unix.NFTA_CHAIN_HOOK)
	b = nla.AppendBE32(b, unix.NFTA_HOOK_HOOKNUM, unix.NF_INET_LOCAL_IN)
	b = nla.AppendBE32(b, unix.NFTA_HOOK_PRIORITY, 0)
	return nla.End(b, hook)
}

// appendRule appends the expressions of: meta l4proto udp udp dport 9 counter drop.
func appendRule(b []byte) []byte {
	b = nla.AppendCString(b, unix.NFTA_RULE_TABLE, table)
	b = nla.AppendCString(b, unix.NFTA_RULE_CHAIN, chain)
	list := len(b)
	b = nla.Begin(b, unix.NFTA_RULE_EXPRESSIONS)
	b = appendExpr(b, "meta", func(b []byte) []byte {
		b = nla.AppendBE32(b, unix.NFTA_META_DREG, unix.NFT_REG_1)
		return nla.AppendBE32(b, unix.NFTA_META_KEY, unix.NFT_META_L4PROTO)
	})
	b = appendExpr(b, "cmp", equals(unix.IPPROTO_UDP))
	b = appendExpr(b, "payload", func(b []byte) []byte {
		b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1)
		b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_TRANSPORT_HEADER)
		b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_OFFSET, 2) // of the destination port
		return nla.AppendBE32(b, unix.NFTA_PAYLOAD_LEN, 2)
	})
	b = appendExpr(b, "cmp", equals(port>>8, port&0xff))
	b = appendExpr(b, "counter", func(b []byte) []byte { return b })
	b = appendExpr(b, "immediate", func(b []byte) []byte {
		b = nla.AppendBE32(b, unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_VERDICT)
		data := len(b)
		b = nla.Begin(b, unix.NFTA_IMMEDIATE_DATA)
		verdict := len(b)
		b = nla.Begin(b, unix.NFTA_DATA_VERDICT)
		b = nla.AppendBE32(b, unix.NFTA_VERDICT_CODE, 0) // NF_DROP
		return nla.End(nla.End(b, verdict), data)
	})
	return nla.End(b, list)
}

// equals appends the attributes of a comparison of register 1 with bytes.
func equals(value ...byte) func(b []byte) []byte {
	return func(b []byte) []byte {
		b = nla.AppendBE32(b, unix.NFTA_CMP_SREG, unix.NFT_REG_1)
		b = nla.AppendBE32(b, unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
		data := len(b)
		b = nla.Begin(b, unix.NFTA_CMP_DATA)
		b = nla.AppendBytes(b, unix.NFTA_DATA_VALUE, value)
		return nla.End(b, data)
	}
}

// appendExpr appends an expression: LIST_ELEM { NAME, DATA { attributes } }.
func appendExpr(b []byte, name string, attrs func([]byte) []byte) []byte {
	expr := len(b)
	b = nla.Begin(b, unix.NFTA_LIST_ELEM)
	b = nla.AppendCString(b, unix.NFTA_EXPR_NAME, name)
	data := len(b)
	b = nla.Begin(b, unix.NFTA_EXPR_DATA)
	b = attrs(b)
	return nla.End(nla.End(b, data), expr)
}
