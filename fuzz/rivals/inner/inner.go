//go:build linux

// Package inner reaches the decoders that the rivals keep to themselves: going
// through their sockets would compare less, more slowly.
package inner

import (
	"iter"
	_ "unsafe" // for go:linkname

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	vishvananda "github.com/vishvananda/netlink"
)

// MdlayherMessages walks over the messages of a datagram.
//
//go:linkname MdlayherMessages github.com/mdlayher/netlink.parseMessagesIter
func MdlayherMessages(b []byte) iter.Seq2[netlink.Message, error]

// MdlayherCheck returns the error that a message carries.
//
//go:linkname MdlayherCheck github.com/mdlayher/netlink.checkMessage
func MdlayherCheck(m netlink.Message) error

// MdlayherFamily reads the attributes of a family.
//
//go:linkname MdlayherFamily github.com/mdlayher/genetlink.parseFamily
func MdlayherFamily(attrs []byte) (genetlink.Family, error)

// VishvanandaFamilies reads payloads of messages of the controller.
//
//go:linkname VishvanandaFamilies github.com/vishvananda/netlink.parseFamilies
func VishvanandaFamilies(payloads [][]byte) ([]*vishvananda.GenlFamily, error)
