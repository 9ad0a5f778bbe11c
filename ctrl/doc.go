// Package ctrl is a client of the Generic Netlink controller (family "nlctrl", id 16). The
// controller describes the families of the kernel: their ids, versions, operations,
// multicast groups and policies. It also reports their changes.
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
// The id of a family depends on the kernel, the boot and the order of modules; only its
// name is fixed. A client therefore looks families up by name, once ([Client.Family]) or
// with a cache ([Resolver]), and builds requests with [Family.Request].
//
// # Index by task
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
//
// # Kernels
//
// Before Linux 5.7 the kernel exports no policies; the error is [ErrNotExported]. Linux 5.7
// to 5.9 export one policy per family ([Policies].Common), later versions one per
// operation. A family without policies is not an error: its [Policies] are empty.
package ctrl
