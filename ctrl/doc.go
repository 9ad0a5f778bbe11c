// Package ctrl is a client of the Generic Netlink controller (family "nlctrl", id 16),
// which describes the families of the kernel: their ids, versions, operations,
// multicast groups and policies, and reports their changes.
//
//	request   GETFAMILY { FAMILY_NAME "ethtool" }
//	reply     NEWFAMILY { FAMILY_NAME, FAMILY_ID, VERSION, HDRSIZE, MAXATTR,
//	                      OPS          { 1{ID, FLAGS} 2{ID, FLAGS} ... },
//	                      MCAST_GROUPS { 1{ID, NAME} ... } }
//
//	request   GETPOLICY { FAMILY_ID 21 }
//	reply     OP_POLICY { cmd { DO index, DUMP index } }         for each operation
//	          POLICY    { index { type { ..., TYPE } } }         for each rule
//
//	group     "notify", 16: NEWFAMILY, DELFAMILY, NEWMCAST_GRP, DELMCAST_GRP
//
// A family's id differs by kernel, boot and order of modules; only its name is
// fixed. So a client starts with a lookup by name, once ([Client.Family]) or for as
// long as it runs ([Resolver]), and builds requests with [Family.Request].
//
// # Kernels
//
// Before Linux 5.7 the kernel exports no policies: they are [ErrNotExported]. Linux 5.7
// to 5.9 exports one for each family ([Policies].Common), later versions one for each
// operation. A family without policies is none of these, and no error: its
// [Policies] are empty.
//
// # Index by job
//
//	open      Open, Client.Close; New over a Conn
//	look up   Client.Family, Client.FamilyByID, Client.Families
//	cache     NewResolver, Resolver.Family, Resolver.ID, Resolver.Forget,
//	          Resolver.ForgetAll
//	request   Family.Request
//	watch     Client.Watch, ParseEvent
//	inspect   Family.Op, Family.Group
//	policies  Client.Policies, Client.OpPolicy, LostOf, Policies.Messages
//	validate  Client.Check, Client.Checker, Checker.Strict
//	decode    ParseFamily
//	errors    ErrUnknown, ErrNameEmpty, ErrNameLong, ErrNameNUL, ErrNotFamily,
//	          ErrNotPolicy, ErrNotExported, ErrHeaderSize; *conn.Error for refusals
//	          by the kernel
package ctrl
