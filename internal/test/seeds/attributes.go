package seeds

const nested, netByteOrder = 1 << 15, 1 << 14

var seven = attr(8, 1, u32(7)...)

// attributeEdges are streams with lengths at limits.
var attributeEdges = []Seed{
	{"empty", "no attribute at all", nil},
	{"header-alone", "the shortest attribute, a flag", attr(4, 5)},
	{"length-0", "a walk that steps by the length never ends", join(seven, attr(0, 2), seven)},
	{"length-1", "shorter than its own length field", join(seven, attr(1, 2), seven)},
	{"length-3", "the longest length that is too short", join(seven, attr(3, 2), seven)},
	{"length-past-the-end", "one byte longer than the input", join(seven, attr(7, 2, 1, 2))},
	{"length-65535", "the longest length, with almost no payload", attr(65535, 2, 1, 2)},
	{"longest", "65,531 bytes of payload and a byte of padding", join(attr(65535, 2, make([]byte, 65531)...), []byte{0})},
	{"longest-unpadded", "the same without the padding", attr(65535, 2, make([]byte, 65531)...)},
	{"leftover-1", "one byte after the last attribute", join(seven, []byte{0xff})},
	{"leftover-2", "two bytes after it", join(seven, []byte{0xff, 0xff})},
	{"leftover-3", "three bytes after it", join(seven, []byte{0xff, 0xff, 0xff})},
	{"last-unpadded", "five bytes of payload and no padding", join(seven, attr(9, 2, 'e', 't', 'h', '0', 0))},
	{"last-some-padding", "the same with one byte of its padding", join(seven, attr(9, 2, 'e', 't', 'h', '0', 0), []byte{0})},
	{"padding-not-zero", "the contents of the padding have no meaning", join(attr(5, 1, 9, 0xff, 0xff, 0xff), seven)},
	{"eight-bytes-then-cut", "the predicted step of the walk, then fewer bytes than one step", join(seven, attr(8, 3, 1, 2, 3))},
	{"nested", "a nest with its flag", attr(12, 6|nested, attr(8, 1, u32(1)...)...)},
	{"nested-to-the-ninth", "the kernel's depth limit, if the innermost attribute is not a nest", nests(8)},
	{"nested-to-the-tenth", "one level deeper, which the kernel rejects", nests(9)},
	{"nested-too-deep", "two levels deeper than that", nests(11)},
	{"nested-empty", "an empty nest", attr(4, 6|nested)},
	{"nested-of-2", "a nest too short for a header", attr(6, 6|nested, 1, 2, 0, 0)},
	{"nested-past-its-nest", "an attribute in a nest that is longer than the nest", join(attr(12, 6|nested, attr(12, 1, u32(1)...)...), seven)},
	{"all-flag-bits", "the highest type, with both flag bits", attr(12, 65535, 0, 0, 0, 0, 0, 0, 0, 0)},
	{"network-order", "the other flag bit alone", attr(8, 1|netByteOrder, 0, 0, 0, 7)},
	{"type-0", "a type that no policy accepts", attr(8, 0, u32(7)...)},
	{"twice", "a table keeps the last one, a search returns the first one", join(seven, attr(8, 1, u32(8)...))},
	{"wrapped-70000", "70,000 bytes by a writer that truncates the length to 16 bits", attr(70000%65536, 1, make([]byte, 64)...)},
	{"u64-unaligned", "eight bytes at offset four", join(attr(4, 9), attr(12, 1, 1, 2, 3, 4, 5, 6, 7, 8))},
	{"bitfield", "value and selector", attr(12, 3, 1, 0, 0, 0, 3, 0, 0, 0)},
}

func nests(depth int) []byte {
	b := attr(8, 1, u32(7)...)
	for range depth {
		b = attr(uint16(4+len(b)), 1|nested, b...)
	}
	return b
}

// attributeBugs are streams that other programs handled incorrectly.
var attributeBugs = []Seed{
	{"libnl-199-negative-remainder", "thom311/libnl pull 199: after an unpadded last attribute the remainder is negative, and was treated as unsigned",
		join(seven, attr(5, 2, 1))},
	{"mdlayher-length-0", "mdlayher/netlink treats an attribute of length 0 as one without payload and skips its header",
		join(attr(0, 1), seven)},
	{"nftables-367-partial-header", "google/nftables issue 367: mdlayher's NewAttributeDecoder returns no decoder for a partial header, which callers used nevertheless",
		join(attr(5, 1, 0xff, 0, 0, 0), []byte{8, 0, 1})},
	{"netlink-packet-route-129-one-byte", "rust-netlink/netlink-packet-route pull 129: a nest of one byte was read as an attribute",
		attr(5, 24, 1, 0, 0, 0)},
	{"netlink-packet-route-100-three-bytes", "rust-netlink/netlink-packet-route issue 100: three bytes, but four were read",
		attr(7, 1, 1, 2, 3, 0)},
	{"netlink-packet-route-152-zeros", "rust-netlink/netlink-packet-route issue 152: a length below the header length wrapped around; iproute2 loops forever",
		make([]byte, 8)},
	{"netlink-packet-route-143-short-by-4", "rust-netlink/netlink-packet-route issue 143: 92 bytes from an older kernel, but 96 were read",
		attr(96, 7, make([]byte, 92)...)},
	{"netlink-packet-core-43-largest", "rust-netlink/netlink-packet-core issue 43: the length of a payload of 65,532 bytes wrapped around",
		attr(0, 1, make([]byte, 200)...)},
	{"netlink-packet-core-53-both-flags", "rust-netlink/netlink-packet-core pull 53: one flag bit was lost when the other was written",
		attr(8, 1|nested|netByteOrder, attr(4, 2)...)},
	{"neli-84-nested-flag", "jbaublitz/neli issue 84, FRRouting/frr pull 15892, vishvananda/netlink issue 1104: the flag bit was part of the type",
		attr(12, 8|nested, attr(8, 1, u32(1)...)...)},
	{"neli-158-length-of-the-header", "jbaublitz/neli issue 158: a u32 was written with the length of its header",
		attr(4, 29, u32(1)...)},
	{"nfq-rs-18-padding-counted", "nbdd0121/nfq-rs pull 18: the padding was counted in the length",
		attr(12, 1, 1, 2, 3, 4, 5, 0, 0, 0)},
	{"vishvananda-672-u32-for-u64", "vishvananda/netlink issue 672: eight bytes were read from four",
		attr(8, 12, u32(55)...)},
	{"vishvananda-509-no-payload", "vishvananda/netlink issue 509: the first byte of an empty payload was read",
		join(attr(4, 4), attr(4, 5))},
	{"node-netlink-16-no-nul", "mildsunrise/node_netlink issue 16: text without a NUL",
		attr(8, 54, 'v', 'e', 't', 'h')},
	{"pyroute2-1481-string-array", "svinota/pyroute2 pull 1481: entries of an array that are text",
		attr(20, 45, join(attr(8, 0, 's', 's', 'i', 'd'), attr(8, 1, 's', 's', 'i', 'd'))...)},
	{"gvisor-14521-17-bytes", "google/gvisor issue 14521: an address that is one byte too long",
		attr(21, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0)},
	{"android-2022-20385-type-above-the-table", "CVE-2022-20385: a type past the end of the table was looked up in it",
		attr(8, 0x3fff, u32(1)...)},
	{"openthread-13411-no-nul", "openthread/openthread pull 13411: the text of an error has no NUL, and the bytes after it were printed",
		join(attr(8, 1, 'a', 'b', 'c', 'd'), attr(8, 2, u32(20)...))},
}
