package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// ngBlocks hands on those blocks of a pcapng file that lead to packets
// (draft-ietf-opsawg-pcapng). pcapgo keeps all interfaces and names of a file, reads
// blocks of any length, and does not tell of their byte order.
type ngBlocks struct {
	in         *bufio.Reader
	block      []byte // what has not been read of the current one
	buf        []byte
	interfaces int // of the section
}

// The types of blocks that are handed on, and the limits of what is.
const (
	ngInterface      = 1
	ngPacket         = 2
	ngSimplePacket   = 3
	ngEnhancedPacket = 6

	minBlock      = 12               // type, length, and the length again
	maxBlock      = maxPacket + 4096 // a packet with its options
	maxInterfaces = 1024
)

// Read reads from the current block.
func (r *ngBlocks) Read(p []byte) (int, error) {
	for len(r.block) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.block)
	r.block = r.block[n:]
	return n, nil
}

// next reads a block, or passes one over.
func (r *ngBlocks) next() error {
	head, err := r.in.Peek(minBlock)
	switch {
	case err == io.EOF && len(head) == 0:
		return err
	case err != nil:
		return unexpected(err)
	}
	ne := binary.NativeEndian
	typ, size := ne.Uint32(head), ne.Uint32(head[4:])
	switch typ {
	case magicNg:
		order := ne.Uint32(head[8:])
		if order == bits.ReverseBytes32(magicOrder) {
			return errOrder
		}
		if order != magicOrder {
			return errors.New("a section does not tell its byte order")
		}
		r.interfaces = 0
	case ngInterface:
		r.interfaces++
		if r.interfaces > maxInterfaces {
			return fmt.Errorf("more than %d interfaces", maxInterfaces)
		}
	}
	if size < minBlock || size%4 != 0 {
		return fmt.Errorf("a block of %d bytes", size)
	}
	switch typ {
	case magicNg, ngInterface, ngPacket, ngSimplePacket, ngEnhancedPacket:
		return r.take(size)
	}
	_, err = io.CopyN(io.Discard, r.in, int64(size))
	return unexpected(err)
}

// take reads a block that is handed on.
func (r *ngBlocks) take(size uint32) error {
	if size > maxBlock {
		return fmt.Errorf("a block of %d bytes, more than %d", size, maxBlock)
	}
	if len(r.buf) < int(size) {
		r.buf = make([]byte, size)
	}
	_, err := io.ReadFull(r.in, r.buf[:size])
	if err == nil {
		r.block = r.buf[:size]
	}
	return unexpected(err)
}

// unexpected returns err, for what a file must have. pcapgo takes a bare
// io.ErrUnexpectedEOF between two blocks for the end.
func unexpected(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("a block without its end: %w", io.ErrUnexpectedEOF)
	}
	return err
}
