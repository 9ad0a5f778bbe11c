/* The column libnl, as in its documentation: messages are parsed in place, and sockets do not use
 * MSG_PEEK. */
#include "message.h"

#include <arpa/inet.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

static inline uint64_t touch_attr(const struct nlattr *a)
{
	return touch(nla_type(a), nla_data(a), nla_len(a));
}

/* EACH adds up body for every message of every datagram, n times. */
#define EACH(n, body)                                                         \
	do {                                                                  \
		uint64_t sum = 0;                                             \
		while ((n)--)                                                 \
			for (uint32_t i = 0; i < in.count; i++) {             \
				struct nlmsghdr *h =                          \
					(void *)in.datagrams[i].b;            \
				int left = in.datagrams[i].len;               \
				for (; nlmsg_ok(h, left);                     \
				     h = nlmsg_next(h, &left))                \
					if (h->nlmsg_type >= NLMSG_MIN_TYPE)  \
						sum += body;                  \
				if (left > 0)                                 \
					fail("malformed datagram");           \
			}                                                     \
		return sum;                                                   \
	} while (0)

static inline uint64_t walk(struct nlmsghdr *h)
{
	struct nlattr *a;
	uint64_t sum = 0;
	int rem;

	nlmsg_for_each_attr(a, h, in.header_len, rem)
		sum += touch_attr(a);
	if (rem > 0)
		fail("malformed attribute");
	return sum;
}

static uint64_t deep(struct nlattr *nest, uint32_t levels)
{
	struct nlattr *a;
	uint64_t sum = 0;
	int rem;

	nla_for_each_nested(a, nest, rem) {
		sum += touch_attr(a);
		if (levels > 1)
			sum += deep(a, levels - 1);
	}
	if (rem > 0)
		fail("malformed attribute");
	return sum;
}

static inline uint64_t walk_deep(struct nlmsghdr *h)
{
	struct nlattr *a;
	uint64_t sum = 0;
	int rem;

	nlmsg_for_each_attr(a, h, in.header_len, rem) {
		uint32_t levels = depth_of(nla_type(a));

		sum += touch_attr(a);
		if (levels)
			sum += deep(a, levels);
	}
	if (rem > 0)
		fail("malformed attribute");
	return sum;
}

static uint64_t decode(uint64_t n) { EACH(n, walk(h)); }
static uint64_t decode_deep(uint64_t n) { EACH(n, walk_deep(h)); }

static struct nla_policy *policy;
static struct nlattr **table;

static void open_policy(void)
{
	policy = calloc(in.rule_count, sizeof *policy);
	table = calloc(in.rule_count, sizeof *table);
	for (uint32_t t = 0; t < in.rule_count; t++) {
		const struct rule *r = &in.rules[t];

		policy[t].type = r->kind; /* libnl has the kernel's numbers up to NESTED */
		if (r->kind == STRING || r->kind == BINARY)
			policy[t].maxlen = r->len;
		if (r->kind == NUL_STRING && r->len)
			policy[t].maxlen = r->len + 1;
		if (r->kind == NUL_STRING)
			policy[t].type = NLA_NUL_STRING;
		if (r->kind == BINARY)
			policy[t].type = NLA_BINARY;
		if (r->kind == UNSPEC)
			policy[t].minlen = r->len;
	}
}

static inline uint64_t parse(struct nlmsghdr *h)
{
	uint64_t sum = 0;

	if (nla_parse(table, in.rule_count - 1, nlmsg_attrdata(h, in.header_len),
		      nlmsg_attrlen(h, in.header_len), policy) < 0)
		fail("attribute violates the policy");
	for (uint32_t i = 0; i < in.wanted_count; i++)
		if (table[in.wanted[i]])
			sum += touch_attr(table[in.wanted[i]]);
	return sum;
}

static uint64_t decode_policy(uint64_t n) { EACH(n, parse(h)); }

static struct nlattr **tables[3];

static void open_tables(void)
{
	for (int i = 0; i < 3; i++)
		tables[i] = calloc(in.rule_count, sizeof **tables);
}

/* small fills and reads the table of a message (level 0) or of a nest. */
static uint64_t small(struct nlmsghdr *h, struct nlattr *nest, int level, uint32_t depth)
{
	struct nlattr **tb = tables[level];
	uint64_t sum = 0;

	if ((h ? nlmsg_parse(h, in.header_len, tb, in.rule_count - 1, NULL) :
		 nla_parse_nested(tb, in.rule_count - 1, nest, NULL)) < 0)
		fail("malformed attribute");
	for (uint32_t i = 0; i < in.wanted_count; i++) {
		struct nlattr *a = tb[in.wanted[i]];
		uint32_t below = level ? depth - 1 : depth_of(in.wanted[i]);

		if (!a)
			continue;
		sum += touch_attr(a);
		if (below)
			sum += small(NULL, a, level + 1, below);
	}
	return sum;
}

static uint64_t table_small(uint64_t n) { EACH(n, small(h, NULL, 0, 0)); }

/* The library allocates each message. 256 bytes are enough for all of them. */
static struct nl_msg *message(void)
{
	struct nl_msg *m = nlmsg_alloc_size(256);

	if (!m)
		fail("out of memory");
	return m;
}

static struct nl_msg *get_family(int flags, uint32_t number, const char *name)
{
	struct nl_msg *m = message();

	if (!genlmsg_put(m, 0, number, GENL_ID_CTRL, 0, NLM_F_REQUEST | flags, CTRL_CMD_GETFAMILY, 2) ||
	    (name && nla_put_string(m, CTRL_ATTR_FAMILY_NAME, name)))
		fail("message buffer full");
	return m;
}

static struct nl_msg *request(uint32_t i) { return get_family(0, i, names[i % 4]); }

static struct nl_msg *mixed(uint32_t i)
{
	struct nl_msg *m = message();
	struct ifla_vlan_flags f = { VLAN_FLAG_GVRP, ~0u };
	struct ifinfomsg link = { 0 };
	struct nlattr *info, *data;

	if (!nlmsg_put(m, 0, i, RTM_NEWLINK, 0, LINK_FLAGS) ||
	    nlmsg_append(m, &link, sizeof link, NLMSG_ALIGNTO))
		goto full;
	NLA_PUT_STRING(m, IFLA_IFNAME, names[i % 4]);
	NLA_PUT_U32(m, IFLA_MTU, 1500 + i);
	NLA_PUT(m, IFLA_ADDRESS, sizeof address, address);
	NLA_PUT_U32(m, IFLA_LINK, i);
	info = nla_nest_start(m, IFLA_LINKINFO | NLA_F_NESTED);
	if (!info)
		goto full;
	NLA_PUT_STRING(m, IFLA_INFO_KIND, "vlan");
	data = nla_nest_start(m, IFLA_INFO_DATA | NLA_F_NESTED);
	if (!data)
		goto full;
	NLA_PUT_U16(m, IFLA_VLAN_ID, i);
	NLA_PUT_U16(m, IFLA_VLAN_PROTOCOL, htons(0x88a8));
	NLA_PUT(m, IFLA_VLAN_FLAGS, sizeof f, &f);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	NLA_PUT_U32(m, IFLA_TXQLEN, 1000);
	return m;
full:
nla_put_failure:
	fail("message buffer full");
}

static void open_encode(void)
{
	if (in.header_len != REQUEST && in.header_len != MIXED)
		absent("not implemented for libnl");
}

static inline uint64_t encode_each(uint64_t n, struct nl_msg *(*make)(uint32_t))
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < MESSAGES_PER_OP; i++) {
			struct nl_msg *m = make(i);
			const struct nlmsghdr *h = nlmsg_hdr(m);

			sum += of_message(h, h->nlmsg_len);
			nlmsg_free(m);
		}
	return sum;
}

static uint64_t encode(uint64_t n) { return encode_each(n, in.header_len == MIXED ? mixed : request); }

static uint64_t check(void)
{
	uint64_t sum = FNV_OFFSET;

	for (uint32_t i = 0; i < MESSAGES_PER_OP; i++) {
		struct nl_msg *m = in.header_len == MIXED ? mixed(i) : request(i);

		sum = fnv1a(sum, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
		nlmsg_free(m);
	}
	return sum;
}

static struct nl_sock *sk;
static uint64_t sum; /* of the callbacks */

static int fault(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	(void)from, (void)e, (void)arg;
	fail("error reply");
}

static void open_socket(int protocol, nl_recvmsg_msg_cb_t cb)
{
	sk = nl_socket_alloc();
	if (!sk || nl_connect(sk, protocol) < 0)
		fail("cannot open the socket");
	nl_socket_disable_msg_peek(sk);
	nl_socket_set_msg_buf_size(sk, BUFFER);
	nl_socket_set_buffer_size(sk, 1 << 20, 0); /* the default is small for a dump */
	nl_socket_disable_auto_ack(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, cb, NULL);
	nl_socket_modify_err_cb(sk, NL_CB_CUSTOM, fault, NULL);
}

static void open_resolve(void) { open_socket(NETLINK_GENERIC, NULL); }

static int route_cb(struct nl_msg *m, void *arg)
{
	static struct nla_policy route_policy[RTA_TABLE + 1] = {
		[RTA_DST] = { .type = NLA_U32 },
		[RTA_OIF] = { .type = NLA_U32 },
		[RTA_TABLE] = { .type = NLA_U32 },
	};
	struct nlattr *tb[RTA_TABLE + 1];
	struct nlmsghdr *h = nlmsg_hdr(m);
	const struct rtmsg *r = nlmsg_data(h);

	if (nlmsg_parse(h, sizeof *r, tb, RTA_TABLE, route_policy) < 0)
		fail("malformed route");
	(void)arg;
	if (tb[RTA_TABLE] && nla_get_u32(tb[RTA_TABLE]) == RT_TABLE_MAIN)
		sum += (tb[RTA_DST] ? (uint64_t)nla_get_u32(tb[RTA_DST]) : 0) +
		       (tb[RTA_OIF] ? nla_get_u32(tb[RTA_OIF]) : 0) + r->rtm_dst_len;
	return NL_OK;
}

static void open_routes(void) { open_socket(NETLINK_ROUTE, route_cb); }

static void receive(void)
{
	if (nl_recvmsgs_default(sk) < 0)
		fail("receive");
}

static uint64_t resolve(uint64_t n)
{
	uint64_t ids = 0;

	while (n--) {
		int id = genl_ctrl_resolve(sk, names[0]);

		if (id < 0)
			fail("error reply");
		ids += id;
	}
	return ids;
}

static uint64_t routes(uint64_t n)
{
	struct rtmsg r = { .rtm_family = AF_INET };

	sum = 0;
	while (n--) {
		if (nl_send_simple(sk, RTM_GETROUTE, NLM_F_DUMP, &r, sizeof r) < 0)
			fail("send");
		receive();
	}
	return sum;
}

const struct column columns[] = {
	{ "decode", "libnl", NULL, { decode, NULL } },
	{ "decode-deep", "libnl", NULL, { decode_deep, NULL } },
	{ "decode-policy", "libnl", open_policy, { decode_policy, NULL } },
	{ "encode", "libnl", open_encode, { encode, check } },
	{ "table-small", "libnl", open_tables, { table_small, NULL } },
	{ "request", "libnl", open_resolve, { resolve, NULL } },
	{ "routes10k", "libnl", open_routes, { routes, NULL } },
	{ "routes1m", "libnl", open_routes, { routes, NULL } },
	{ NULL, NULL, NULL, { NULL, NULL } },
};
