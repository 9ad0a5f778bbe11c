package main

import (
	"hash/fnv"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/nlmsg"
)

// The messages that are encoded and what is asked of the kernel, the same in every
// column and in ../c/message.h.

const (
	messagesPerOp = 64   // of "encode"
	floodEvents   = 1000 // of a round of "flood"
	pipelined     = 64   // requests of an operation of "pipeline"

	largeBuffer = 32 << 10
	queueSize   = 8 << 20 // receive buffer of a socket that waits for a flood

	routeGroup = unix.RTNLGRP_IPV4_ROUTE
)

// The names are not constants to the encoders: a compiler that knows the length
// would measure itself.
var (
	names   = [4]string{"nlctrl", "ethtool", "netdev", "tcp_metrics"}
	address = []byte{2, 0, 0, 0, 0, 1}
)

const linkFlags = unix.NLM_F_ACK | unix.NLM_F_CREATE | unix.NLM_F_EXCL

// What a VLAN link has in its IFLA_INFO_DATA, from linux/if_link.h, if_vlan.h.
const (
	vlanID, vlanFlags, vlanProtocol = 1, 2, 5
	vlanGVRP                        = 2
	vlanAD                          = 0x88a8
)

// An encoder encodes message i; it is good until the next one.
type encoder func(i uint32) ([]byte, error)

// encoding is the task of "encode": the input has no datagrams, and a header
// length for the mixed message only.
func encoding(request, mixed encoder) column {
	return func(in *input.Set) (task, error) {
		encode := request
		if in.HeaderLen != 0 {
			encode = mixed
		}
		return encode.task(), nil
	}
}

func (encode encoder) task() task { return task{run: runEncoder(encode), check: checkEncoder(encode)} }

// appended are as many byte slices and as many strings in a message of "append".
const appended = 8

// appending is the task of "append": messages of the same payload, as bytes and with a NUL.
func appending(encode func(i uint32, p []byte, s string) ([]byte, error)) column {
	return func(in *input.Set) (task, error) {
		p, s := in.Datagrams[0], string(in.Datagrams[0])
		return encoder(func(i uint32) ([]byte, error) { return encode(i, p, s) }).task(), nil
	}
}

// runEncoder costs the encoder an indirect call of a nanosecond, which does not
// matter to those that allocate.
func runEncoder(encode encoder) func(n int) (uint64, error) {
	return func(n int) (sum uint64, err error) {
		for range n {
			for i := range uint32(messagesPerOp) {
				b, err := encode(i)
				if err != nil {
					return 0, err
				}
				sum += ofMessage(b)
			}
		}
		return sum, nil
	}
}

// ofMessage is the cheap checksum of an encoded message: length and sequence
// number.
func ofMessage(b []byte) uint64 { return uint64(len(b)) + uint64(nlmsg.Msg(b).Seq()) }

// checkEncoder is the FNV-1a of all bytes of all messages.
func checkEncoder(encode encoder) func() (uint64, error) {
	return func() (uint64, error) {
		sum := fnv.New64a()
		for i := range uint32(messagesPerOp) {
			b, err := encode(i)
			if err != nil {
				return 0, err
			}
			sum.Write(b)
		}
		return sum.Sum64(), nil
	}
}

// route is what a checksum of routes takes from one.
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
