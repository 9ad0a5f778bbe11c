package input

import (
	"math/rand/v2"

	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Families is the dump of all Generic Netlink families. The kernel exports no policy for these
// replies. The rules here describe the attributes that they contain.
func Families() (*Set, error) {
	return recorded("families", Set{
		HeaderLen: 4, // struct genlmsghdr
		Depths:    []uint32{6: 2, 7: 2},
		Rules: []policy.Rule{
			1: {Kind: policy.KindU16}, 2: {Kind: policy.KindNULString, Len: 15}, 3: {Kind: policy.KindU32},
			4: {Kind: policy.KindU32}, 5: {Kind: policy.KindU32}, 6: {Kind: policy.KindNested}, 7: {Kind: policy.KindNested},
		},
	})
}

// EthtoolPolicy is the policy dump of the family ethtool. Each message contains one rule in three
// nested attributes.
func EthtoolPolicy() (*Set, error) {
	return recorded("ethtool-policy", Set{
		HeaderLen: 4,
		Depths:    []uint32{8: 3, 9: 2},
		Rules: []policy.Rule{
			1: {Kind: policy.KindU16}, 8: {Kind: policy.KindNested}, 9: {Kind: policy.KindNested},
		},
	})
}

// Links is the dump of links of many kinds. The policy is ifla_policy (net/core/rtnetlink.c) with
// rules for the attributes that only replies contain.
func Links() (*Set, error) {
	return recorded("links", Set{
		HeaderLen: 16,                            // struct ifinfomsg
		Depths:    []uint32{18: 1, 26: 2, 43: 1}, // IFLA_LINKINFO, IFLA_AF_SPEC, IFLA_XDP
		Rules: rules(map[policy.Kind][]uint16{
			policy.KindU8:  {16, 17, 33, 39, 67},
			policy.KindU16: {68, 69},
			policy.KindU32: {4, 5, 10, 13, 27, 29, 30, 31, 32, 35, 37, 40, 41, 47, 48, 50, 51, 58, 59,
				60, 61, 63, 64, 66},
			policy.KindUnspec: {14}, // struct rtnl_link_ifmap
			policy.KindBinary: {1, 2, 7, 23, 54},
			policy.KindString: {3, 6, 20},
			policy.KindNested: {18, 26, 43, 55, 62, 65},
		}),
	})
}

// Routes is a dump of IPv4 routes. The policy is rtm_ipv4_policy (net/ipv4/fib_frontend.c).
func Routes(datagrams [][]byte) *Set {
	s := &Set{
		HeaderLen: 12, // struct rtmsg
		Rules: rules(map[policy.Kind][]uint16{
			policy.KindU8:     {27},
			policy.KindU16:    {21, 28, 29},
			policy.KindU32:    {1, 2, 3, 4, 5, 6, 7, 11, 15, 16, 25, 30},
			policy.KindNested: {8, 22},
		}),
		Datagrams: datagrams,
	}
	return s.want()
}

// Payload is one datagram of n bytes without a NUL: the payload of the case "append".
func Payload(n int) *Set {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(1 + i%255)
	}
	return &Set{Datagrams: [][]byte{b}}
}

// U32 contains 64 attributes of 32 bits in each message.
func U32() *Set {
	r := rand.New(rand.NewPCG(1, 2))
	return synthetic(64, policy.Rule{Kind: policy.KindU32}, func(b []byte, typ uint16) []byte {
		return nla.AppendUint32(b, typ, r.Uint32())
	})
}

// Mixed contains attributes of 32 and 64 bits in random order. A prediction of the next header's
// offset often fails on it.
func Mixed() *Set { return mixed(64) }

// MixedLarge contains 131,072 such attributes: more than a branch predictor can learn.
func MixedLarge() *Set { return mixed(2048) }

func mixed(messages int) *Set {
	r := rand.New(rand.NewPCG(3, 4))
	return synthetic(messages, policy.Rule{Kind: policy.KindBinary, Len: 8}, func(b []byte, typ uint16) []byte {
		if r.IntN(2) == 0 {
			return nla.AppendUint32(b, typ, r.Uint32())
		}
		return nla.AppendUint64(b, typ, r.Uint64())
	})
}

// synthetic returns messages of 64 attributes, one message per datagram. The type is RTM_NEWROUTE,
// because some of the libraries support rtnetlink only.
func synthetic(messages int, rule policy.Rule, add func(b []byte, typ uint16) []byte) *Set {
	const newRoute, count = 24, 64
	s := &Set{HeaderLen: 12, Rules: make([]policy.Rule, count+1)}
	for typ := 1; typ <= count; typ++ {
		s.Rules[typ] = rule
	}
	for range messages {
		b := nlmsg.Begin(nil, newRoute, nlmsg.FlagMulti, 1, 1)
		b = append(b, make([]byte, s.HeaderLen)...)
		for typ := uint16(1); typ <= count; typ++ {
			b = add(b, typ)
		}
		s.Datagrams = append(s.Datagrams, nlmsg.End(b, 0))
	}
	return s.want()
}

func recorded(name string, s Set) (*Set, error) {
	var err error
	s.Datagrams, err = golden.Load(name)
	return s.want(), err
}

// rules returns the rules for types grouped by kind, without length limits.
func rules(types map[policy.Kind][]uint16) []policy.Rule {
	var all []policy.Rule
	for kind, list := range types {
		for _, typ := range list {
			for int(typ) >= len(all) {
				all = append(all, policy.Rule{})
			}
			all[typ].Kind = kind
		}
	}
	return all
}
