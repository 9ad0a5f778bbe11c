package main

import (
	"errors"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/genetlink"
	mdlayher "github.com/mdlayher/netlink"
	vishvananda "github.com/vishvananda/netlink"

	"github.com/nlwire/nlwire/internal/test/original"
)

// checkRivals returns an error if a column of another library does not use the original library.
func checkRivals() error {
	return errors.Join(
		original.Check("github.com/mdlayher/netlink", mdlayher.NewAttributeDecoder),
		original.Check("github.com/mdlayher/genetlink", genetlink.Dial),
		original.Check("github.com/vishvananda/netlink", vishvananda.LinkList),
		original.Check("github.com/jsimonetti/rtnetlink/v2", rtnetlink.Dial),
	)
}
