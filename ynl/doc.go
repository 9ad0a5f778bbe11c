// Package ynl encodes and decodes netlink messages by names. It reads the kernel's netlink
// specs: YAML files (Documentation/netlink/specs in the kernel's source) that describe the
// operations, attributes and types of a netlink family. The specs of Linux 7.3.4 are built in.
//
//	ethtool rings-set header.dev-name=eth0 rx=512            arguments of a command line
//	{"header": {"dev-name": "eth0"}, "rx": 512}              the same as JSON
//	        |                         ^
//	        | Spec.AppendRequest      | Message.AppendJSON
//	        v                         |
//	+--------+------------+-----------------------------+-----------+
//	| nlmsg  | genlmsg    | 1 header (nest)             | 6 rx      |
//	| header | command 16 |   +-----------------------+ | 512       |
//	|        | version 1  |   | 2 dev-name "eth0\0"   | |           |
//	|        |            |   +-----------------------+ |           |
//	+--------+------------+-----------------------------+-----------+
//	         | Spec.Decode
//	         v
//	Message{Op: rings-set, Fields: [header [dev-name] rx]}   names, values, offsets, bytes
//
// A [Spec] describes one family: its operations ([Op]), attribute sets ([Set] of [Attr]), enums,
// structs and multicast groups. A request has a fixed header in some families, and attributes.
// An attribute can be a nest with a set of its own, or a sub-message: the format of its payload
// depends on another attribute, the selector (the kind of a link selects the format of its
// data).
//
// Three classifications of values exist: [Type] is the type in the spec (TypeU32), [Form] describes the
// value of a decoded [Field] (FormEnum), and [Kind] that of a [Value] to encode, as in JSON
// (KindNumber). Two headers precede the attributes: [RequestHeader] has the fields of the netlink and
// Generic Netlink headers, and [Op].FixedHeader is the struct of the family's own header, or nil.
//
// A request to a family of the kernel, with the connection c of package conn (errors omitted):
//
//	family, err := ctrl.New(c).Family(ctx, "ethtool")
//	spec, err := ynl.Builtin("ethtool")
//	values, err := ynl.ParseArgs([]string{"header.dev-name=eth0"})
//	op := spec.Op("rings-get")
//	payload, headers, err := spec.AppendPayload(nil, op, values, 0)
//	r := c.Request(family.ID, nlmsg.FlagRequest, payload[:headers])
//	defer r.Release()
//	r.B = append(r.B, payload[headers:]...)
//	reply, err := c.Do(ctx, r)
//	message := spec.DecodeOp(reply, op)
//	fmt.Printf("%s\n", message.AppendJSON(nil)) // {"header": {"dev-index": 2, ...}, "rx": 512}
//
// The examples of the package have complete programs.
//
// # Index by task
//
//	find families     NewLibrary, Library.Family, Library.Protocol, Builtin, BuiltinNames
//	read specs        Load, LoadFS, LoadDir, Parse; errors are Errors with positions
//	list operations   Spec.Ops, Op.IsReserved, Op.ReplyAttrs, Set.Attr
//	find operations   Spec.Op, Spec.OpOf, Spec.OpByRequest, Spec.OpByReply,
//	                  Spec.OpByNotification, Spec.Number
//	write requests    ParseJSON, ParseArgs, Spec.AppendRequest, Spec.AppendPayload;
//	                  *ValueError
//	check requests    Spec.Check, Set.Policy
//	decode            Spec.Decode, Spec.DecodeOp; Decoder to reuse memory
//	print             Message.AppendJSON, Field.AppendJSON, Field.AppendName
//	walk a message    Message.Find, Field.Find, Field.Form, Field.Uint, Field.Bytes
//	explain errors    Spec.Explain (Explanation), Message.PathAt, Message.MissingPath
//	count             Stats
//	tables            AppendTable, ParseTable
//
// # Unknown data
//
// Kernels can be newer than specs. Decoding therefore never fails: attributes, kinds and enum values
// that a spec lacks keep their numbers and bytes. Encoding accepts numbers instead of names, and
// bytes in hex for a kind without a format. A request that differs from its spec is not an error;
// [Spec.Check] reports the differences. Unknown keys of a spec are warnings ([Spec].Warnings).
//
// # Built-in families
//
// The directory table has a file for each spec of Linux 7.3.4, with names, numbers and types
// only. The directory overlay has files in the same form ([AppendTable] documents it), written
// from the uapi headers: families, link kinds and operations that have no spec, and corrections
// where a spec differs from the headers. A [Library] prefers spec files to built-in families,
// and the overlay does not apply to spec files.
//
// # Compatibility
//
// The JSON is that of the kernel's own tool (tools/net/ynl/pyynl, option --output-json). That tool
// fails where a spec has no format for a kind; here the payload is then in hex.
package ynl
