package seeds

import "math"

const (
	request, multi, ack, ackTLVs, capped = 1, 2, 4, 0x200, 0x100
	noop, failure, done, overrun         = 1, 2, 3, 4
	control                              = 0x10 // nlctrl, as the type of a message
)

var (
	genl     = []byte{3, 2, 0, 0}
	question = msg(20, control, request|ack, genl...)
)

// messageEdges are datagrams with lengths at limits.
var messageEdges = []Seed{
	{"no-bytes", "an empty datagram", nil},
	{"cut-header", "one byte shorter than a header", msg(16, control, request)[:15]},
	{"header-only", "the shortest message", msg(16, control, request)},
	{"message-length-0", "a walk that steps by the length never ends", join(question, msg(0, control, 0))},
	{"message-length-1", "shorter than its own length field", join(question, msg(1, control, 0))},
	{"message-length-15", "the longest length that is too short", join(question, msg(15, control, 0))},
	{"message-length-17", "one byte longer than the input", msg(17, control, 0)},
	{"message-length-2^31-1", "the largest that is positive when signed", msg(math.MaxInt32, control, 0)},
	{"message-length-2^31", "the smallest that is negative when signed", msg(1<<31, control, 0)},
	{"message-length-2^32-4", "wraps to 0 when 4 is added to align it", msg(math.MaxUint32-3, control, 0)},
	{"message-length-2^32-1", "the longest", msg(math.MaxUint32, control, 0)},
	{"leftover-15", "a message followed by fewer bytes than a header", join(question, make([]byte, 15))},
	{"leftover-zeros", "a message followed by a header of zeros", join(question, make([]byte, 16))},
	{"last-message-unpadded", "the last message lacks its padding", join(question, msg(17, control, 0, 1))},
	{"last-message-some-padding", "the last message has one byte of its padding", join(question, msg(17, control, 0, 1, 0))},
	{"middle-message-unpadded", "the next message starts at the unaligned offset 17, and readers continue at 20", join(msg(17, control, 0, 1), question)},
	{"padding-of-ones", "the contents of the padding have no meaning", join(msg(17, control, 0, 1, 0xff, 0xff, 0xff), question)},
	{"two-messages", "a request followed by another one", join(question, question)},
	{"noop-and-overrun", "the two control messages without contents", join(msg(16, noop, 0), msg(16, overrun, 0))},
	{"all-flags", "every bit of the flags", msg(16, control, 0xffff)},
}

// answerEdges are answers with contents at limits.
var answerEdges = []Seed{
	{"error", "an error that repeats the request", msg(40, failure, 0, join(errno(2), question)...)},
	{"error-without-payload", "no errno", msg(16, failure, 0)},
	{"error-of-3-bytes", "the errno cut short", msg(19, failure, 0, 0xfe, 0xff, 0xff)},
	{"error-shorter-than-its-header", "the repeated header cut short", msg(32, failure, 0, join(errno(2), question[:12])...)},
	{"error-request-length-0", "a repeated request with length 0", msg(36, failure, ackTLVs, join(errno(2), make([]byte, 16))...)},
	{"error-request-length-15", "a repeated request shorter than its header", msg(36, failure, ackTLVs, join(errno(2), msg(15, control, 0))...)},
	{"error-request-larger", "a repeated request that is longer than the answer", msg(36, failure, 0, join(errno(2), msg(1<<31, control, 5))...)},
	{"error-request-unaligned", "the attributes start after the padding of the request",
		msg(48, failure, ackTLVs, join(errno(22), msg(17, control, 5, 3, 0, 0, 0), attr(8, 2, u32(16)...))...)},
	{"error-capped-with-tlvs", "only the header is repeated, and attributes follow",
		msg(56, failure, capped|ackTLVs, join(errno(2), question[:16], attr(12, 1, text("no such")...), attr(8, 2, u32(20)...))...)},
	{"error-tlvs-flag-alone", "the flag without an attribute", msg(36, failure, capped|ackTLVs, join(errno(22), question[:16])...)},
	{"error-tlvs-of-wrong-size", "an offset of two bytes", msg(44, failure, capped|ackTLVs, join(errno(22), question[:16], attr(6, 2, 1, 2, 0, 0))...)},
	{"error-tlvs-cut", "half an attribute", msg(42, failure, capped|ackTLVs, join(errno(22), question[:16], attr(8, 2, 1, 2))...)},
	{"error-every-tlv", "every attribute of an extended ACK",
		msg(104, failure, capped|ackTLVs, join(errno(22), question[:16], attr(8, 1, text("abc")...), attr(12, 3, 1, 2, 3, 4, 5, 6, 7, 8),
			attr(8, 2, u32(20)...), attr(12, 4|nested, attr(8, 1, u32(4)...)...), attr(8, 5, u32(1)...), attr(8, 6, u32(20)...), attr(12, 9, make([]byte, 8)...))...)},
	{"error-offset-at-the-end", "an offset directly after the request", msg(48, failure, ackTLVs, join(errno(22), question, attr(8, 2, u32(20)...))...)},
	{"error-positive", "a positive errno, as old subsystems sent it", msg(36, failure, capped, join(u32(22), question[:16])...)},
	{"error-most-negative", "an errno that cannot be negated", msg(36, failure, capped, join(u32(1<<31), question[:16])...)},
	{"ack", "success", msg(36, failure, capped, join(errno(0), question[:16])...)},
	{"ack-of-an-old-kernel", "before 4.12 acknowledgements were capped without the flag", msg(36, failure, 0, join(errno(0), question[:16])...)},
	{"ack-with-a-warning", "success, with a text", msg(44, failure, capped|ackTLVs, join(errno(0), question[:16], attr(8, 1, text("abc")...))...)},
	{"done", "the end of a dump", msg(20, done, multi, errno(0)...)},
	{"done-of-3-bytes", "the errno cut short", msg(19, done, multi, 1, 2, 3)},
	{"done-with-an-errno", "a dump that failed", msg(20, done, multi, errno(90)...)},
	{"done-with-a-count", "a positive number is a count defined by the protocol", msg(20, done, multi, u32(3)...)},
	{"done-tlvs-flag-alone", "the kernel sets the flag even if the attributes did not fit", msg(20, done, multi|ackTLVs, errno(90)...)},
	{"done-interrupted", "the dump is inconsistent", msg(20, done, multi|0x10, errno(0)...)},
}

var (
	name = attr(8, 2, text("abc")...)
	id   = attr(6, 1, pad(ne.AppendUint16(nil, 30))...)
)

// about returns a message of the controller.
func about(cmd byte, attrs ...[]byte) []byte {
	body := join(attrs...)
	return msg(uint32(20+len(body)), control, 0, join([]byte{cmd, 2, 0, 0}, body)...)
}

// familyEdges are messages of the controller with families at limits.
var familyEdges = []Seed{
	{"family", "a family with the minimum of attributes", about(1, name, id)},
	{"family-id-0", "no family has this id", about(1, name, attr(6, 1, 0, 0, 0, 0))},
	{"family-without-a-name", "only an ID", about(1, id)},
	{"family-empty-name", "an empty name", about(1, attr(5, 2, 0, 0, 0, 0), id)},
	{"family-name-without-nul", "a name without its NUL", about(1, attr(8, 2, 'a', 'b', 'c', 'd'), id)},
	{"family-name-of-16", "one byte longer than a name may be", about(1, attr(21, 2, text("abcdefghijklmnop")...), id)},
	{"family-twice", "the last one is used", about(1, name, id, attr(8, 2, text("xyz")...))},
	{"family-version-of-1-byte", "a number of another size", about(1, name, id, attr(5, 3, 1, 0, 0, 0))},
	{"family-operations-empty", "an empty array", about(1, name, id, attr(4, 6))},
	{"family-operation-empty", "an array with one empty entry", about(1, name, id, attr(8, 6, attr(4, 1)...))},
	{"family-operation-of-2-bytes", "an array too short for an entry", about(1, name, id, attr(6, 6, 1, 0, 0, 0))},
	{"family-operations-with-flags", "nests with the Nested flag, which no controller sends", about(1, name, id, attr(24, 6|nested, attr(20, 1|nested, join(attr(8, 1, u32(3)...), attr(8, 2, u32(14)...))...)...))},
	{"family-with-a-group", "a group with its ID first", about(1, name, id, attr(24, 7, attr(20, 1, join(attr(8, 2, u32(5)...), attr(6, 1, text("g")...))...)...))},
	{"family-is-gone", "a family was removed", about(2, name, id)},
	{"group-is-new", "a group was added", about(7, name, id, attr(24, 7, attr(20, 1, join(attr(8, 2, u32(5)...), attr(6, 1, text("g")...))...)...))},
	{"group-is-gone", "a group was removed", about(8, name, id)},
	{"command-of-the-future", "an unknown command", about(11, name, id)},
}

// messageBugs are datagrams that other programs handled incorrectly.
var messageBugs = []Seed{
	{"go-nfnetlink-1-unpadded", "subgraph/go-nfnetlink issues 1 and 3: Go's syscall.ParseNetlinkMessage read past the end; since Go 1.8 it returns an error (mdlayher/netlink pull 116, vishvananda/netlink pull 971)",
		msg(19, 0x300, 0, 1, 2, 3)},
	{"mdlayher-1.10.0-unpadded", "mdlayher/netlink 1.10.0, since retracted, panicked on it", msg(17, 0x300, 0, 1)},
	{"mdlayher-1.11.0-padded", "mdlayher/netlink pull 283: 1.11.0 rejected an unaligned length that is followed by its padding", msg(17, 0x300, 0, 1, 0, 0, 0)},
	{"libmnl-signed-length", "RUSTSEC-2025-0142: libmnl treats the length as signed, and 2^31 as one that fits", msg(1<<31, control, multi, make([]byte, 16)...)},
	{"frr-2735-too-long", "FRRouting/frr pull 2735: NLMSG_NEXT made the remainder negative", msg(64, control, 0, make([]byte, 32)...)},
	{"libreswan-1675-done-packed", "libreswan issue 1675, podman issue 22052: the end of the dump in the datagram of its last message, as kernels since 6.9 send it",
		join(msg(20, 24, multi, genl...), msg(20, done, multi, errno(0)...))},
	{"vishvananda-935-done-empty", "vishvananda/netlink pull 935: a Done without payload, as devlink and team send it", msg(16, done, multi)},
	{"netlink-packet-core-30-done-single", "rust-netlink/netlink-packet-core pull 30: without MULTI the protocol defines its meaning", msg(20, done, 0, 1, 2, 3, 4)},
	{"vishvananda-1099-short-link", "vishvananda/netlink issue 1099: four bytes were read as struct ifinfomsg", msg(20, 16, 0, 0, 0, 0, 0)},
	{"dragonos-1780-one-byte", "DragonOS issue 1780: a payload of one byte, shorter than the protocol's header", msg(17, 26, request, 2)},
	{"mdlayher-183-done-tlvs", "mdlayher/netlink issue 183: in a DONE the attributes follow the errno",
		msg(56, done, multi|ackTLVs, join(errno(22), attr(33, 1, text("Invalid header for link dump")...))...)},
	{"frr-4019-tlvs-behind-the-request", "FRRouting/frr pull 4019: the attributes start after the whole request",
		msg(48, failure, ackTLVs, join(errno(22), question, attr(8, 2, u32(16)...))...)},
	{"vm0-12043-no-errno", "vm0-ai/vm0 issue 12043: an error without its errno was read as a success", msg(18, failure, 0, 0, 0)},
	{"neli-261-warning", "jbaublitz/neli issue 261: the extended ACK of a success was dropped",
		msg(44, failure, capped|ackTLVs, join(errno(0), question[:16], attr(8, 1, text("ok?")...))...)},
	{"netlink-proto-50-overrun", "rust-netlink/netlink-proto pull 50: an OVERRUN panicked", msg(20, overrun, 0, 0, 0, 0, 0)},
	{"neli-45-rest-kept", "jbaublitz/neli issue 45: the second message was expected at the end of the first buffer", join(question, msg(20, control, 0, genl...), question)},
	{"openthread-13411-request-underflow", "openthread/openthread pull 13411: the length of the repeated request was subtracted unchecked",
		msg(44, failure, ackTLVs, join(errno(22), msg(4, control, 5), attr(8, 1, text("abc")...))...)},
	{"tlv-block-of-8", "a decoder that requires more than 8 bytes of attributes loses these",
		msg(48, failure, ackTLVs, join(errno(22), question, attr(8, 5, u32(1)...))...)},
}
