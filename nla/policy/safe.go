//go:build purego

package policy

import "github.com/nlwire/nlwire/nla"

// pointer is a slice in this build; see unsafe.go.
type pointer []byte

func first(b []byte) pointer          { return b }
func (p pointer) add(n int) pointer   { return p[n:] }
func (p pointer) length() int         { return int(ne.Uint16(p)) }
func (p pointer) typ() int            { return int(ne.Uint16(p[2:])) }
func (p pointer) attr(n int) nla.Attr { return nla.Attr(p[:n:n]) }
