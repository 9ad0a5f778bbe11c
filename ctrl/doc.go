// Package ctrl asks the Generic Netlink controller (family "nlctrl", id 16)
// what families the kernel has: their ids, versions, operations and multicast
// groups.
//
//	request   GETFAMILY { FAMILY_NAME "ethtool" }
//	reply     NEWFAMILY { FAMILY_NAME, FAMILY_ID, VERSION, HDRSIZE, MAXATTR,
//	                      OPS          { 1{ID, FLAGS} 2{ID, FLAGS} ... },
//	                      MCAST_GROUPS { 1{ID, NAME} ... } }
//
// A family's id differs by kernel, boot and order of modules; only its name is
// fixed. So a client starts with a lookup by name.
//
// # Index by job
//
//	open      Open, Client.Close; New over a Conn
//	look up   Client.Family, Client.FamilyByID, Client.Families
//	inspect   Family.Op, Family.Group
//	decode    ParseFamily
//	errors    ErrUnknown, ErrNameEmpty, ErrNameLong, ErrNameNUL
package ctrl
