// Package ctrl asks the Generic Netlink controller (family "nlctrl", id 16) what
// families the kernel has: their ids, versions, operations, multicast groups and
// policies, and hears of their changes.
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
// long as it runs ([Resolver]).
//
// # Index by job
//
//	open      Open, Client.Close; New over a Conn
//	look up   Client.Family, Client.FamilyByID, Client.Families
//	keep      NewResolver, Resolver.Family, Resolver.ID, Resolver.Forget
//	hear      Client.Watch, ParseEvent
//	inspect   Family.Op, Family.Group
//	policies  Client.Policies, Client.OpPolicy, LostOf, Policies.Messages
//	validate  Client.Check, Client.Checker
//	decode    ParseFamily
//	errors    ErrUnknown, ErrNameEmpty, ErrNameLong, ErrNameNUL, ErrNotFamily,
//	          ErrNotPolicy, ErrHeaderSize; *conn.Error for what the kernel refuses
package ctrl
