package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// ngBlocks reads a pcapng file and passes on only the blocks that pcapgo needs to read
// packets (draft-ietf-opsawg-pcapng). pcapgo itself stores all interfaces and names of a
// file, reads blocks of any length, and does not report their byte order.
type ngBlocks struct {
	in         *bufio.Reader
	block      []byte // the unread part of the current block
	buf        []byte
	interfaces int // of the current section
}

// The block types that are passed on, and the limits on blocks.
const (
	ngInterface      = 1
	ngPacket         = 2
	ngSimplePacket   = 3
	ngEnhancedPacket = 6

	minBlock      = 12               // type, length, and length repeated
	maxBlock      = maxPacket + 4096 // a packet and its options
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

// next reads or skips a block.
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
			return errors.New("section has no byte-order magic")
		}
		r.interfaces = 0
	case ngInterface:
		r.interfaces++
		if r.interfaces > maxInterfaces {
			return fmt.Errorf("more than %d interfaces", maxInterfaces)
		}
	}
	if size < minBlock || size%4 != 0 {
		return fmt.Errorf("invalid block length %d", size)
	}
	switch typ {
	case magicNg, ngInterface, ngPacket, ngSimplePacket, ngEnhancedPacket:
		return r.take(size)
	}
	_, err = io.CopyN(io.Discard, r.in, int64(size))
	return unexpected(err)
}

// take reads a block that is passed on.
func (r *ngBlocks) take(size uint32) error {
	if size > maxBlock {
		return fmt.Errorf("block length %d exceeds the limit of %d", size, maxBlock)
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

// unexpected returns err, or an error with a text if the file has ended. Between two blocks
// pcapgo treats a bare io.ErrUnexpectedEOF as the end of the file.
func unexpected(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("truncated block: %w", io.ErrUnexpectedEOF)
	}
	return err
}
