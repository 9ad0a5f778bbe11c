package main

import (
	"errors"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
)

const rules = 1000

// nftRules adds rules to a new table in one transaction. Then it removes the table. The removal is not
// measured.
func nftRules() (func(int) (time.Duration, error), error) {
	// The kernel acknowledges each rule. A default receive buffer is too small for all of them.
	c, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
		return errors.Join(c.SetReadBuffer(16<<20), c.SetWriteBuffer(16<<20))
	}))
	return func(n int) (took time.Duration, err error) {
		for range n {
			table := c.AddTable(&nftables.Table{Name: "bench", Family: nftables.TableFamilyIPv4})
			chain := c.AddChain(&nftables.Chain{Name: "chain", Table: table})
			start := time.Now()
			for i := range rules {
				c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
					&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
					&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{byte(i)}},
					&expr.Verdict{Kind: expr.VerdictAccept},
				}})
			}
			if err := c.Flush(); err != nil {
				return 0, err
			}
			took += time.Since(start)
			c.DelTable(table)
			if err := c.Flush(); err != nil {
				return 0, err
			}
		}
		return took, nil
	}, err
}
