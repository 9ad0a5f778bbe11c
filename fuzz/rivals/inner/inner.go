//go:build linux

// Package inner links to unexported decoders of the rivals. Comparing through their sockets would
// cover less and take longer.
package inner

import (
	"iter"
	_ "unsafe" // for go:linkname

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	vishvananda "github.com/vishvananda/netlink"
)

// MdlayherMessages iterates over the messages of a datagram.
//
//go:linkname MdlayherMessages github.com/mdlayher/netlink.parseMessagesIter
func MdlayherMessages(b []byte) iter.Seq2[netlink.Message, error]

// MdlayherCheck returns the error in a message.
//
//go:linkname MdlayherCheck github.com/mdlayher/netlink.checkMessage
func MdlayherCheck(m netlink.Message) error

// MdlayherFamily reads the attributes of a family.
//
//go:linkname MdlayherFamily github.com/mdlayher/genetlink.parseFamily
func MdlayherFamily(attrs []byte) (genetlink.Family, error)

// VishvanandaFamilies reads the payloads of messages of the controller.
//
//go:linkname VishvanandaFamilies github.com/vishvananda/netlink.parseFamilies
func VishvanandaFamilies(payloads [][]byte) ([]*vishvananda.GenlFamily, error)
