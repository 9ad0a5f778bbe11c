/* The column libmnl, as its documentation's examples use it. */
#define _GNU_SOURCE
#include "encode.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <arpa/inet.h>

static inline uint64_t touch_attr(const struct nlattr *a)
{
	return touch(mnl_attr_get_type(a), mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
}

/* EACH runs body for every message of every datagram, n times. */
#define EACH(n, body)                                                         \
	do {                                                                  \
		uint64_t sum = 0;                                             \
		while ((n)--)                                                 \
			for (uint32_t i = 0; i < in.count; i++) {             \
				const struct nlmsghdr *h =                    \
					(void *)in.datagrams[i].b;            \
				int left = in.datagrams[i].len;               \
				for (; mnl_nlmsg_ok(h, left);                 \
				     h = mnl_nlmsg_next(h, &left))            \
					if (h->nlmsg_type >= NLMSG_MIN_TYPE)  \
						sum += body;                  \
				if (left > 0)                                 \
					fail("malformed datagram");           \
			}                                                     \
		return sum;                                                   \
	} while (0)

static inline uint64_t walk(const struct nlmsghdr *h)
{
	const struct nlattr *a;
	uint64_t sum = 0;

	mnl_attr_for_each(a, h, in.header_len)
		sum += touch_attr(a);
	return sum;
}

static uint64_t deep(const struct nlattr *nest, uint32_t levels)
{
	const struct nlattr *a;
	uint64_t sum = 0;

	mnl_attr_for_each_nested(a, nest) {
		sum += touch_attr(a);
		if (levels > 1)
			sum += deep(a, levels - 1);
	}
	return sum;
}

static inline uint64_t walk_deep(const struct nlmsghdr *h)
{
	const struct nlattr *a;
	uint64_t sum = 0;

	mnl_attr_for_each(a, h, in.header_len) {
		uint32_t levels = depth_of(mnl_attr_get_type(a));

		sum += touch_attr(a);
		if (levels)
			sum += deep(a, levels);
	}
	return sum;
}

static uint64_t decode(uint64_t n) { EACH(n, walk(h)); }
static uint64_t decode_deep(uint64_t n) { EACH(n, walk_deep(h)); }

static enum mnl_attr_data_type *types;
static const struct nlattr **table;

static void open_policy(void)
{
	types = calloc(in.rule_count, sizeof *types);
	table = calloc(in.rule_count, sizeof *table);
	for (uint32_t t = 0; t < in.rule_count; t++)
		switch (in.rules[t].kind) {
		case U8: types[t] = MNL_TYPE_U8; break;
		case U16: types[t] = MNL_TYPE_U16; break;
		case U32: types[t] = MNL_TYPE_U32; break;
		case U64: types[t] = MNL_TYPE_U64; break;
		case STRING: types[t] = MNL_TYPE_STRING; break;
		case NUL_STRING: types[t] = MNL_TYPE_NUL_STRING; break;
		case NESTED: types[t] = MNL_TYPE_NESTED; break;
		case BINARY: types[t] = MNL_TYPE_BINARY; break;
		}
}

static int store(const struct nlattr *a, void *data)
{
	const struct nlattr **tb = data;
	int type = mnl_attr_get_type(a);

	if (mnl_attr_type_valid(a, in.rule_count - 1) < 0)
		return MNL_CB_OK;
	if (mnl_attr_validate(a, types[type]) < 0)
		return MNL_CB_ERROR;
	tb[type] = a;
	return MNL_CB_OK;
}

static inline uint64_t parse(const struct nlmsghdr *h)
{
	uint64_t sum = 0;

	memset(table, 0, in.rule_count * sizeof *table);
	if (mnl_attr_parse(h, in.header_len, store, table) < 0)
		fail("an attribute is against the policy");
	for (uint32_t i = 0; i < in.wanted_count; i++)
		if (table[in.wanted[i]])
			sum += touch_attr(table[in.wanted[i]]);
	return sum;
}

static uint64_t decode_policy(uint64_t n) { EACH(n, parse(h)); }

static uint64_t sum; /* of what the callbacks saw */
static struct mnl_socket *nl;
static uint32_t seq, port;

static struct nlmsghdr *header(void *b, uint16_t type, uint16_t flags, uint32_t number)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(b);

	h->nlmsg_type = type;
	h->nlmsg_flags = flags;
	h->nlmsg_seq = number;
	return h;
}

static struct nlmsghdr *get_family(void *b, uint16_t flags, uint32_t number, const char *name)
{
	struct nlmsghdr *h = header(b, GENL_ID_CTRL, NLM_F_REQUEST | flags, number);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof *g);

	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 2;
	if (name)
		mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, name);
	return h;
}

static __attribute__((noinline)) uint32_t encode_request(uint32_t i)
{
	return get_family(buf, 0, i, names[i % 4])->nlmsg_len;
}

static __attribute__((noinline)) uint32_t encode_mixed(uint32_t i)
{
	struct nlmsghdr *h = header(buf, RTM_NEWLINK, LINK_FLAGS, i);
	struct ifla_vlan_flags f = { VLAN_FLAG_GVRP, ~0u };
	struct nlattr *info, *data;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, names[i % 4]);
	mnl_attr_put_u32(h, IFLA_MTU, 1500 + i);
	mnl_attr_put(h, IFLA_ADDRESS, sizeof address, address);
	mnl_attr_put_u32(h, IFLA_LINK, i);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_VLAN_ID, i);
	mnl_attr_put_u16(h, IFLA_VLAN_PROTOCOL, htons(0x88a8));
	mnl_attr_put(h, IFLA_VLAN_FLAGS, sizeof f, &f);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	mnl_attr_put_u32(h, IFLA_TXQLEN, 1000);
	return h->nlmsg_len;
}

static char *text; /* the payload of "append" with a NUL */

static uint32_t encode_append(uint32_t i)
{
	struct nlmsghdr *h = header(buf, RTM_NEWLINK, LINK_FLAGS, i);

	for (int n = 0; n < APPENDED; n++) {
		mnl_attr_put(h, 1, in.datagrams->len, in.datagrams->b);
		mnl_attr_put_strz(h, 2, text);
	}
	return h->nlmsg_len;
}

static void open_append(void)
{
	text = calloc(1, in.datagrams->len + 1);
	memcpy(text, in.datagrams->b, in.datagrams->len);
	encode = encode_append;
}

static void open_encode(void)
{
	encode = in.header_len == MIXED ? encode_mixed : encode_request;
}

static void open_socket(int protocol)
{
	nl = mnl_socket_open(protocol);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("no socket");
	port = mnl_socket_get_portid(nl);
}

static void open_generic(void) { open_socket(NETLINK_GENERIC); }
static void open_route(void) { open_socket(NETLINK_ROUTE); }

static void open_flood(void)
{
	int group = RTNLGRP_IPV4_ROUTE, bytes = QUEUE;

	open_socket(NETLINK_ROUTE);
	if (setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) ||
	    mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		fail("no subscription");
}

static int id_cb(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *a;

	(void)data;
	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID) {
			if (mnl_attr_validate(a, MNL_TYPE_U16) < 0)
				return MNL_CB_ERROR;
			sum += mnl_attr_get_u16(a);
			return MNL_CB_OK;
		}
	return MNL_CB_ERROR;
}

static void group_ids(const struct nlattr *groups)
{
	const struct nlattr *group, *a;

	mnl_attr_for_each_nested(group, groups)
		mnl_attr_for_each_nested(a, group)
			if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_ID &&
			    mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
				sum += mnl_attr_get_u32(a);
}

static int family_cb(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *a;

	(void)data;
	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr))
		switch (mnl_attr_get_type(a)) {
		case CTRL_ATTR_FAMILY_ID:
			if (mnl_attr_validate(a, MNL_TYPE_U16) < 0)
				return MNL_CB_ERROR;
			sum += mnl_attr_get_u16(a);
			break;
		case CTRL_ATTR_FAMILY_NAME:
			if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0)
				return MNL_CB_ERROR;
			sum += strlen(mnl_attr_get_str(a)) + *mnl_attr_get_str(a);
			break;
		case CTRL_ATTR_VERSION:
			if (mnl_attr_validate(a, MNL_TYPE_U32) < 0)
				return MNL_CB_ERROR;
			sum += mnl_attr_get_u32(a);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			group_ids(a);
			break;
		}
	return MNL_CB_OK;
}

static int route_cb(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);
	uint32_t dst = 0, oif = 0, table_id = 0, *field;
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof *r) {
		switch (mnl_attr_get_type(a)) {
		case RTA_DST: field = &dst; break;
		case RTA_OIF: field = &oif; break;
		case RTA_TABLE: field = &table_id; break;
		default: continue;
		}
		if (mnl_attr_validate(a, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		*field = mnl_attr_get_u32(a);
	}
	if (table_id == RT_TABLE_MAIN)
		sum += (uint64_t)dst + oif + r->rtm_dst_len;
	if (data) /* an event */
		sum += h->nlmsg_type;
	return MNL_CB_OK;
}

static int receive(uint32_t number, uint32_t to, mnl_cb_t cb, void *data)
{
	ssize_t n = mnl_socket_recvfrom(nl, buf, BUFFER);
	int result;

	if (n < 0)
		fail("receive");
	result = mnl_cb_run(buf, n, number, to, cb, data);
	if (result < 0)
		fail("refused");
	return result;
}

static void ask(const struct nlmsghdr *h)
{
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		fail("send");
}

static uint64_t resolve(uint64_t n)
{
	sum = 0;
	while (n--) {
		ask(get_family(buf, 0, ++seq, names[0]));
		receive(seq, port, id_cb, NULL);
	}
	return sum;
}

static uint64_t families(uint64_t n)
{
	sum = 0;
	while (n--) {
		ask(get_family(buf, NLM_F_DUMP, ++seq, NULL));
		while (receive(seq, port, family_cb, NULL) > MNL_CB_STOP)
			;
	}
	return sum;
}

static uint64_t routes(uint64_t n)
{
	sum = 0;
	while (n--) {
		struct nlmsghdr *h = header(buf, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, ++seq);
		struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof *r);

		r->rtm_family = AF_INET;
		ask(h);
		while (receive(seq, port, route_cb, NULL) > MNL_CB_STOP)
			;
	}
	return sum;
}

static uint64_t flood(uint64_t n)
{
	sum = 0;
	for (n *= FLOOD; n--;)
		receive(0, 0, route_cb, &sum);
	return sum;
}

static uint64_t pipeline(uint64_t n)
{
	static char requests[BUFFER];

	sum = 0;
	while (n--) {
		struct mnl_nlmsg_batch *b = mnl_nlmsg_batch_start(requests, BUFFER / 2);

		for (int i = 0; i < PIPELINE; i++) {
			get_family(mnl_nlmsg_batch_current(b), 0, ++seq, names[i % 4]);
			if (!mnl_nlmsg_batch_next(b))
				fail("the batch is full");
		}
		if (mnl_socket_sendto(nl, mnl_nlmsg_batch_head(b), mnl_nlmsg_batch_size(b)) < 0)
			fail("send");
		mnl_nlmsg_batch_stop(b);
		for (uint32_t i = PIPELINE; i--;)
			receive(seq - i, port, id_cb, NULL);
	}
	return sum;
}

const struct column columns[] = {
	{ "decode", "libmnl", NULL, { decode, NULL } },
	{ "decode-deep", "libmnl", NULL, { decode_deep, NULL } },
	{ "decode-policy", "libmnl", open_policy, { decode_policy, NULL } },
	{ "encode", "libmnl", open_encode, { run_encode, check_encode } },
	{ "append", "libmnl", open_append, { run_encode, check_encode } },
	{ "resolve", "libmnl", open_generic, { resolve, NULL } },
	{ "families", "libmnl", open_generic, { families, NULL } },
	{ "routes10k", "libmnl", open_route, { routes, NULL } },
	{ "routes1m", "libmnl", open_route, { routes, NULL } },
	{ "flood", "libmnl", open_flood, { flood, NULL } },
	{ "pipeline", "libmnl", open_generic, { pipeline, NULL } },
	{ NULL, NULL, NULL, { NULL, NULL } },
};
