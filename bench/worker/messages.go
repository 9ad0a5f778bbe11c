package main

import (
	"hash/fnv"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/nlmsg"
)

// The encoded messages and the kernel requests. They are the same in every column and in
// ../c/message.h.

const (
	messagesPerOp = 64   // messages in an operation of "encode"
	eventsPerOp   = 1000 // events in an operation of "events"
	batched       = 64   // requests in an operation of "batch"

	largeBuffer = 32 << 10
	queueSize   = 8 << 20 // receive buffer of the sockets for events

	routeGroup = unix.RTNLGRP_IPV4_ROUTE
)

// The names are variables: with constants, the compiler would compute the lengths.
var (
	names   = [4]string{"nlctrl", "ethtool", "netdev", "tcp_metrics"}
	address = []byte{2, 0, 0, 0, 0, 1}
)

const linkFlags = unix.NLM_F_ACK | unix.NLM_F_CREATE | unix.NLM_F_EXCL

// IFLA_INFO_DATA of a VLAN link: numbers of linux/if_link.h and linux/if_vlan.h.
const (
	vlanID, vlanFlags, vlanProtocol = 1, 2, 5
	vlanGVRP                        = 2
	vlanAD                          = 0x88a8
)

// rulesInBatch is the number of rules in the input "nft". The complete batch counts as one message.
const rulesInBatch = 1000

// A filter and its actions: numbers of linux/rtnetlink.h, linux/pkt_cls.h and linux/tc_act.
const (
	tcaKind, tcaOptions                                               = 1, 2
	flowerAct, flowerEthType, flowerIPProto, flowerSrc, flowerSrcMask = 3, 8, 9, 10, 11
	sizeofTCMsg                                                       = 20
	flowerTCPDst, flowerFlags                                         = 19, 22
	vlanParams, vlanPushID, vlanPushProtocol                          = 2, 3, 4
	params                                                            = 2 // TCA_MIRRED_PARMS and TCA_GACT_PARMS
)

var (
	tcHeader     = [sizeofTCMsg]byte{4: 2, 12: 0xf1, 13: 0xff, 14: 0xff, 15: 0xff}
	vlanPush     = make([]byte, 24)
	mirredParams = make([]byte, 28)
	gactParams   = make([]byte, 20)
)

// An encoder appends message i to b, which is empty and large enough, or returns a new buffer.
type encoder func(b []byte, i uint32) ([]byte, error)

// encoding returns the column of "encode". The input has no datagrams: the length of the family
// header selects the message.
func encoding(request, mixed, nft, tc encoder) column {
	return func(in *input.Set) (task, error) {
		if in.HeaderLen == 4 {
			return nft.task(1), nil
		}
		return map[int]encoder{0: request, unix.SizeofIfInfomsg: mixed, sizeofTCMsg: tc}[in.HeaderLen].task(messagesPerOp), nil
	}
}

// task returns a task that encodes messages 0 to messages-1 in an operation.
func (encode encoder) task(messages uint32) task {
	return task{run: encode.run(messages), check: encode.check(messages)}
}

// appended is the number of byte slices, and of strings, in a message of "append".
const appended = 8

// appending returns the column of "append". A message repeats one payload, as bytes and as a string
// with a NUL.
func appending(encode func(b []byte, i uint32, p []byte, s string) ([]byte, error)) column {
	return func(in *input.Set) (task, error) {
		p, s := in.Datagrams[0], string(in.Datagrams[0])
		return encoder(func(b []byte, i uint32) ([]byte, error) { return encode(b, i, p, s) }).task(messagesPerOp), nil
	}
}

// bufferSize is the capacity of the encoders' buffer, enough for a batch of rules.
const bufferSize = 512 << 10

func (encode encoder) run(messages uint32) func(n int) (uint64, error) {
	buf := make([]byte, 0, bufferSize)
	return func(n int) (sum uint64, err error) {
		for range n {
			for i := range messages {
				b, err := encode(buf, i)
				if err != nil {
					return 0, err
				}
				sum += ofMessage(b)
			}
		}
		return sum, nil
	}
}

// ofMessage returns a cheap checksum of an encoded message: its length plus its sequence number.
func ofMessage(b []byte) uint64 { return uint64(len(b)) + uint64(nlmsg.Msg(b).Seq()) }

// check returns the FNV-1a hash of all messages.
func (encode encoder) check(messages uint32) func() (uint64, error) {
	return func() (uint64, error) {
		sum := fnv.New64a()
		for i := range messages {
			b, err := encode(make([]byte, 0, bufferSize), i)
			if err != nil {
				return 0, err
			}
			sum.Write(b)
		}
		return sum.Sum64(), nil
	}
}

// route contains the fields of a route that are in the checksum.
type route struct {
	dst, oif, table uint32
	dstLen          uint8
}

func (r route) sum() uint64 {
	if r.table != unix.RT_TABLE_MAIN {
		return 0
	}
	return uint64(r.dst) + uint64(r.oif) + uint64(r.dstLen)
}
