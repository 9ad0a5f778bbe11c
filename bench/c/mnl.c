/* The column libmnl. The calls are those of the examples in its documentation. */
#define _GNU_SOURCE
#include "encode.h"
#include "typed.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <arpa/inet.h>

static inline uint64_t touch_attr(const struct nlattr *a)
{
	return touch(mnl_attr_get_type(a), mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
}

/* EACH adds up body for every message of every datagram, n times. */
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

/* The argument of the callbacks: the kind of each type (0: not validated) and the attributes by type. */
struct table {
	uint32_t max;
	const uint8_t *types;
	const struct nlattr **tb;
};

static uint8_t *types;
static struct table table, tables[3];

static void open_tables(void)
{
	types = calloc(in.rule_count, sizeof *types);
	for (int i = 0; i < 3; i++)
		tables[i] = (struct table){ in.rule_count - 1, types, calloc(in.rule_count, sizeof *table.tb) };
	table = tables[0];
}

static void open_policy(void)
{
	open_tables();
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
	const struct table *t = data;
	int type = mnl_attr_get_type(a);

	if (mnl_attr_type_valid(a, t->max) < 0)
		return MNL_CB_OK;
	if (t->types[type] && mnl_attr_validate(a, t->types[type]) < 0)
		return MNL_CB_ERROR;
	t->tb[type] = a;
	return MNL_CB_OK;
}

/* keep is store without validation. */
static int keep(const struct nlattr *a, void *data)
{
	const struct table *t = data;

	if (mnl_attr_type_valid(a, t->max) >= 0)
		t->tb[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static inline uint64_t parse(const struct nlmsghdr *h)
{
	uint64_t sum = 0;

	memset(table.tb, 0, in.rule_count * sizeof *table.tb);
	if (mnl_attr_parse(h, in.header_len, store, &table) < 0)
		fail("attribute violates the policy");
	for (uint32_t i = 0; i < in.wanted_count; i++)
		if (table.tb[in.wanted[i]])
			sum += touch_attr(table.tb[in.wanted[i]]);
	return sum;
}

static uint64_t decode_policy(uint64_t n) { EACH(n, parse(h)); }

/* small fills and reads the table of a message (level 0) or of a nest. */
static uint64_t small(const struct nlmsghdr *h, const struct nlattr *nest, int level, uint32_t depth)
{
	struct table *t = &tables[level];
	uint64_t sum = 0;

	memset(t->tb, 0, in.rule_count * sizeof *t->tb);
	if ((h ? mnl_attr_parse(h, in.header_len, keep, t) : mnl_attr_parse_nested(nest, keep, t)) < 0)
		fail("malformed attribute");
	for (uint32_t i = 0; i < in.wanted_count; i++) {
		const struct nlattr *a = t->tb[in.wanted[i]];
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

/* The typed columns. PARSE and NESTED fill a table, and the callback validates the kinds, as in the
 * library's examples. Then each attribute that is present is read. */
#define PARSE(call, at, list)                                                 \
	const struct nlattr *tb[sizeof(list)] = { 0 };                        \
	struct table table = { sizeof(list) - 1, list, tb };                  \
	if (call(at, store, &table) < 0)                                      \
		return -1
#define NESTED(at, list)                                                      \
	if (!(at))                                                            \
		return 0;                                                     \
	PARSE(mnl_attr_parse_nested, at, list)
#define GET(field, width, type)                                               \
	if (tb[type])                                                         \
		(field) = mnl_attr_get_##width(tb[type])
#define BE(field, width, type)                                                \
	if (tb[type])                                                         \
		(field) = mnl_attr_get_##width(tb[type]), SWAP(field)
#define BYTES(field, type)                                                    \
	if (tb[type])                                                         \
		(field) = (struct view){ mnl_attr_get_payload(tb[type]), mnl_attr_get_payload_len(tb[type]) }
#define TEXT(field, type)                                                     \
	if (tb[type])                                                         \
		(field) = (struct view){ mnl_attr_get_payload(tb[type]), strlen(mnl_attr_get_str(tb[type])) }

static int link_inet6(struct link *l, const struct nlattr *nest)
{
	static const uint8_t list[] = { [IFLA_INET6_FLAGS] = MNL_TYPE_U32, [IFLA_INET6_ADDR_GEN_MODE] = MNL_TYPE_U8 };

	NESTED(nest, list);
	GET(l->inet6, u32, IFLA_INET6_FLAGS);
	GET(l->gen_mode, u8, IFLA_INET6_ADDR_GEN_MODE);
	return 0;
}

static int link_families(struct link *l, const struct nlattr *nest)
{
	static const uint8_t list[] = { [AF_INET6] = MNL_TYPE_NESTED };

	NESTED(nest, list);
	return link_inet6(l, tb[AF_INET6]);
}

static int link_info(struct link *l, const struct nlattr *nest)
{
	static const uint8_t list[] = { [IFLA_INFO_KIND] = MNL_TYPE_NUL_STRING };

	NESTED(nest, list);
	TEXT(l->kind, IFLA_INFO_KIND);
	return 0;
}

#define LINK(at, f, arg) mnl_attr_parse(at, sizeof(struct ifinfomsg), f, arg)

static int decode_link(struct link *l, const struct nlmsghdr *h)
{
	static const uint8_t list[] = {
		[IFLA_ADDRESS] = MNL_TYPE_BINARY, [IFLA_BROADCAST] = MNL_TYPE_BINARY,
		[IFLA_IFNAME] = MNL_TYPE_NUL_STRING, [IFLA_QDISC] = MNL_TYPE_NUL_STRING,
		[IFLA_MTU] = MNL_TYPE_U32, [IFLA_LINK] = MNL_TYPE_U32, [IFLA_MASTER] = MNL_TYPE_U32,
		[IFLA_TXQLEN] = MNL_TYPE_U32, [IFLA_OPERSTATE] = MNL_TYPE_U8, [IFLA_LINKMODE] = MNL_TYPE_U8,
		[IFLA_LINKINFO] = MNL_TYPE_NESTED, [IFLA_STATS64] = MNL_TYPE_BINARY, [IFLA_AF_SPEC] = MNL_TYPE_NESTED,
		[IFLA_GROUP] = MNL_TYPE_U32, [IFLA_PROMISCUITY] = MNL_TYPE_U32, [IFLA_NUM_TX_QUEUES] = MNL_TYPE_U32,
		[IFLA_NUM_RX_QUEUES] = MNL_TYPE_U32, [IFLA_CARRIER] = MNL_TYPE_U8, [IFLA_CARRIER_CHANGES] = MNL_TYPE_U32,
		[IFLA_GSO_MAX_SEGS] = MNL_TYPE_U32, [IFLA_GSO_MAX_SIZE] = MNL_TYPE_U32,
	};
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);

	CLEAR_LINK(l);
	l->typ = m->ifi_type;
	l->index = m->ifi_index;
	l->flags = m->ifi_flags;
	PARSE(LINK, h, list);
	BYTES(l->address, IFLA_ADDRESS);
	BYTES(l->broadcast, IFLA_BROADCAST);
	TEXT(l->name, IFLA_IFNAME);
	TEXT(l->qdisc, IFLA_QDISC);
	GET(l->mtu, u32, IFLA_MTU);
	GET(l->link, u32, IFLA_LINK);
	GET(l->master, u32, IFLA_MASTER);
	GET(l->txqlen, u32, IFLA_TXQLEN);
	GET(l->operstate, u8, IFLA_OPERSTATE);
	GET(l->mode, u8, IFLA_LINKMODE);
	GET(l->group, u32, IFLA_GROUP);
	GET(l->promiscuity, u32, IFLA_PROMISCUITY);
	GET(l->num_tx, u32, IFLA_NUM_TX_QUEUES);
	GET(l->num_rx, u32, IFLA_NUM_RX_QUEUES);
	GET(l->carrier, u8, IFLA_CARRIER);
	GET(l->changes, u32, IFLA_CARRIER_CHANGES);
	GET(l->gso_segs, u32, IFLA_GSO_MAX_SEGS);
	GET(l->gso_size, u32, IFLA_GSO_MAX_SIZE);
	if (tb[IFLA_STATS64]) {
		if (mnl_attr_get_payload_len(tb[IFLA_STATS64]) < sizeof l->stats)
			return -1;
		memcpy(l->stats, mnl_attr_get_payload(tb[IFLA_STATS64]), sizeof l->stats);
	}
	return link_info(l, tb[IFLA_LINKINFO]) || link_families(l, tb[IFLA_AF_SPEC]) ? -1 : 0;
}

static int decode_copied(struct link *l, const struct nlmsghdr *h)
{
	return decode_link(l, h) ? -1 : copy_strings(l);
}

static int route_metrics(struct route *r, const struct nlattr *nest)
{
	static const uint8_t list[] = {
		[RTAX_MTU] = MNL_TYPE_U32, [RTAX_ADVMSS] = MNL_TYPE_U32, [RTAX_INITCWND] = MNL_TYPE_U32,
	};

	NESTED(nest, list);
	GET(r->mtu, u32, RTAX_MTU);
	GET(r->adv_mss, u32, RTAX_ADVMSS);
	GET(r->init_cwnd, u32, RTAX_INITCWND);
	return 0;
}

#define HOP(at, f, arg) mnl_attr_parse_payload((at) + 1, (at)->rtnh_len - sizeof *(at), f, arg)

static int route_hop(struct hop *h, const struct rtnexthop *n)
{
	static const uint8_t list[] = { [RTA_GATEWAY] = MNL_TYPE_BINARY };

	PARSE(HOP, n, list);
	h->index = n->rtnh_ifindex;
	h->weight = n->rtnh_hops;
	BYTES(h->gateway, RTA_GATEWAY);
	return 0;
}

static int route_hops(struct route *r, const struct nlattr *nest)
{
	const struct rtnexthop *n = nest ? mnl_attr_get_payload(nest) : NULL;
	int size = nest ? mnl_attr_get_payload_len(nest) : 0;

	for (; RTNH_OK(n, size); size -= RTNH_ALIGN(n->rtnh_len), n = RTNH_NEXT(n))
		if (r->count == COUNT_OF(r->hops) || route_hop(&r->hops[r->count++], n))
			return -1;
	return size > 0 ? -1 : 0;
}

#define ROUTE(at, f, arg) mnl_attr_parse(at, sizeof(struct rtmsg), f, arg)

static int decode_route(struct route *r, const struct nlmsghdr *h)
{
	static const uint8_t list[] = {
		[RTA_DST] = MNL_TYPE_BINARY, [RTA_OIF] = MNL_TYPE_U32, [RTA_GATEWAY] = MNL_TYPE_BINARY,
		[RTA_PRIORITY] = MNL_TYPE_U32, [RTA_PREFSRC] = MNL_TYPE_BINARY, [RTA_METRICS] = MNL_TYPE_NESTED,
		[RTA_MULTIPATH] = MNL_TYPE_BINARY, [RTA_TABLE] = MNL_TYPE_U32,
	};
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);

	memset(r, 0, sizeof *r);
	r->family = m->rtm_family;
	r->dst_len = m->rtm_dst_len;
	r->kind = m->rtm_type;
	PARSE(ROUTE, h, list);
	BYTES(r->dst, RTA_DST);
	GET(r->oif, u32, RTA_OIF);
	BYTES(r->gateway, RTA_GATEWAY);
	GET(r->priority, u32, RTA_PRIORITY);
	BYTES(r->source, RTA_PREFSRC);
	GET(r->table, u32, RTA_TABLE);
	return route_metrics(r, tb[RTA_METRICS]) || route_hops(r, tb[RTA_MULTIPATH]) ? -1 : 0;
}

static int rule_expr(struct expr *e, const struct nlattr *nest)
{
	static const uint8_t list[] = { [NFTA_EXPR_NAME] = MNL_TYPE_NUL_STRING, [NFTA_EXPR_DATA] = MNL_TYPE_NESTED };

	NESTED(nest, list);
	TEXT(e->name, NFTA_EXPR_NAME);
	BYTES(e->data, NFTA_EXPR_DATA);
	return 0;
}

static int rule_exprs(struct nft_rule *r, const struct nlattr *nest)
{
	const struct nlattr *a;

	if (nest)
		mnl_attr_for_each_nested(a, nest)
			if (r->count == COUNT_OF(r->exprs) || mnl_attr_get_type(a) != NFTA_LIST_ELEM ||
			    rule_expr(&r->exprs[r->count++], a))
				return -1;
	return 0;
}

#define NETFILTER(at, f, arg) mnl_attr_parse(at, sizeof(struct nfgenmsg), f, arg)

static int decode_rule(struct nft_rule *r, const struct nlmsghdr *h)
{
	static const uint8_t list[] = {
		[NFTA_RULE_TABLE] = MNL_TYPE_NUL_STRING, [NFTA_RULE_CHAIN] = MNL_TYPE_NUL_STRING,
		[NFTA_RULE_HANDLE] = MNL_TYPE_U64, [NFTA_RULE_EXPRESSIONS] = MNL_TYPE_NESTED,
		[NFTA_RULE_POSITION] = MNL_TYPE_U64, [NFTA_RULE_USERDATA] = MNL_TYPE_BINARY,
	};

	memset(r, 0, sizeof *r);
	PARSE(NETFILTER, h, list);
	TEXT(r->table, NFTA_RULE_TABLE);
	TEXT(r->chain, NFTA_RULE_CHAIN);
	BE(r->handle, u64, NFTA_RULE_HANDLE);
	BE(r->position, u64, NFTA_RULE_POSITION);
	BYTES(r->userdata, NFTA_RULE_USERDATA);
	return rule_exprs(r, tb[NFTA_RULE_EXPRESSIONS]);
}

static int tuple_ip(struct tuple *t, const struct nlattr *nest)
{
	static const uint8_t list[] = { [CTA_IP_V4_SRC] = MNL_TYPE_U32, [CTA_IP_V4_DST] = MNL_TYPE_U32 };

	NESTED(nest, list);
	BE(t->src, u32, CTA_IP_V4_SRC);
	BE(t->dst, u32, CTA_IP_V4_DST);
	return 0;
}

static int tuple_proto(struct tuple *t, const struct nlattr *nest)
{
	static const uint8_t list[] = {
		[CTA_PROTO_NUM] = MNL_TYPE_U8, [CTA_PROTO_SRC_PORT] = MNL_TYPE_U16, [CTA_PROTO_DST_PORT] = MNL_TYPE_U16,
	};

	NESTED(nest, list);
	GET(t->proto, u8, CTA_PROTO_NUM);
	BE(t->from, u16, CTA_PROTO_SRC_PORT);
	BE(t->to, u16, CTA_PROTO_DST_PORT);
	return 0;
}

static int flow_tuple(struct tuple *t, const struct nlattr *nest)
{
	static const uint8_t list[] = { [CTA_TUPLE_IP] = MNL_TYPE_NESTED, [CTA_TUPLE_PROTO] = MNL_TYPE_NESTED };

	NESTED(nest, list);
	return tuple_ip(t, tb[CTA_TUPLE_IP]) || tuple_proto(t, tb[CTA_TUPLE_PROTO]) ? -1 : 0;
}

static int flow_counters(struct counters *c, const struct nlattr *nest)
{
	static const uint8_t list[] = { [CTA_COUNTERS_PACKETS] = MNL_TYPE_U64, [CTA_COUNTERS_BYTES] = MNL_TYPE_U64 };

	NESTED(nest, list);
	BE(c->packets, u64, CTA_COUNTERS_PACKETS);
	BE(c->bytes, u64, CTA_COUNTERS_BYTES);
	return 0;
}

static int flow_times(struct flow *f, const struct nlattr *nest)
{
	static const uint8_t list[] = { [CTA_TIMESTAMP_START] = MNL_TYPE_U64 };

	NESTED(nest, list);
	BE(f->start, u64, CTA_TIMESTAMP_START);
	return 0;
}

static int flow_tcp(struct flow *f, const struct nlattr *nest)
{
	static const uint8_t list[] = {
		[CTA_PROTOINFO_TCP_STATE] = MNL_TYPE_U8, [CTA_PROTOINFO_TCP_WSCALE_ORIGINAL] = MNL_TYPE_U8,
		[CTA_PROTOINFO_TCP_WSCALE_REPLY] = MNL_TYPE_U8, [CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = MNL_TYPE_U16,
		[CTA_PROTOINFO_TCP_FLAGS_REPLY] = MNL_TYPE_U16,
	};

	NESTED(nest, list);
	GET(f->state, u8, CTA_PROTOINFO_TCP_STATE);
	GET(f->scale_orig, u8, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL);
	GET(f->scale_reply, u8, CTA_PROTOINFO_TCP_WSCALE_REPLY);
	GET(f->flags_orig, u16, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL);
	GET(f->flags_reply, u16, CTA_PROTOINFO_TCP_FLAGS_REPLY);
	return 0;
}

static int flow_proto(struct flow *f, const struct nlattr *nest)
{
	static const uint8_t list[] = { [CTA_PROTOINFO_TCP] = MNL_TYPE_NESTED };

	NESTED(nest, list);
	return flow_tcp(f, tb[CTA_PROTOINFO_TCP]);
}

static int decode_flow(struct flow *f, const struct nlmsghdr *h)
{
	static const uint8_t list[] = {
		[CTA_TUPLE_ORIG] = MNL_TYPE_NESTED, [CTA_TUPLE_REPLY] = MNL_TYPE_NESTED, [CTA_STATUS] = MNL_TYPE_U32,
		[CTA_PROTOINFO] = MNL_TYPE_NESTED, [CTA_TIMEOUT] = MNL_TYPE_U32, [CTA_MARK] = MNL_TYPE_U32,
		[CTA_COUNTERS_ORIG] = MNL_TYPE_NESTED, [CTA_COUNTERS_REPLY] = MNL_TYPE_NESTED, [CTA_USE] = MNL_TYPE_U32,
		[CTA_ID] = MNL_TYPE_U32, [CTA_TIMESTAMP] = MNL_TYPE_NESTED,
	};

	memset(f, 0, sizeof *f);
	PARSE(NETFILTER, h, list);
	BE(f->status, u32, CTA_STATUS);
	BE(f->timeout, u32, CTA_TIMEOUT);
	BE(f->mark, u32, CTA_MARK);
	BE(f->use, u32, CTA_USE);
	BE(f->id, u32, CTA_ID);
	for (int i = 0; i < 2; i++)
		if (flow_tuple(&f->tuples[i], tb[CTA_TUPLE_ORIG + i]) ||
		    flow_counters(&f->counts[i], tb[CTA_COUNTERS_ORIG + i]))
			return -1;
	return flow_times(f, tb[CTA_TIMESTAMP]) || flow_proto(f, tb[CTA_PROTOINFO]) ? -1 : 0;
}

/* TYPED defines a column that decodes messages into a type and adds up the fields. */
#define TYPED(name, type, decode, sum_of)                                     \
	static inline uint64_t name##_sum(const struct nlmsghdr *h)           \
	{                                                                     \
		static type v;                                                \
		if (decode(&v, h))                                            \
			fail("malformed message");                            \
		return sum_of(&v);                                            \
	}                                                                     \
	static uint64_t name(uint64_t n) { EACH(n, name##_sum(h)); }

TYPED(typed_link, struct link, decode_link, sum_link)
TYPED(typed_copied, struct link, decode_copied, sum_link)
TYPED(typed_route, struct route, decode_route, sum_route)
TYPED(typed_nft, struct nft_rule, decode_rule, sum_rule)
TYPED(typed_flow, struct flow, decode_flow, sum_flow)

static uint64_t sum; /* of the callbacks */
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

#undef BYTES
#undef NESTED
#define START unsigned char *at = buf; struct nlmsghdr *h
#define OPEN(type, flags, seq, extra)                                         \
	h = header(at, type, flags, seq);                                     \
	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(extra)), &(extra), sizeof(extra))
#define CLOSE at += h->nlmsg_len
#define DONE return at - buf
#define STRZ(type, s) mnl_attr_put_strz(h, type, s)
#define BYTES(type, v, len) mnl_attr_put(h, type, len, v)
#define PUT(type, width, value) mnl_attr_put_##width(h, type, value)
#define NEST(name, type) struct nlattr *name = mnl_attr_nest_start(h, type)
#define END(name) mnl_attr_nest_end(h, name)
#include "batch.h"

static char *text; /* the payload of "append" and a NUL */

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
	encode = encoder();
}

static void open_socket(int protocol)
{
	nl = mnl_socket_open(protocol);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("cannot open the socket");
	port = mnl_socket_get_portid(nl);
}

static void open_generic(void) { open_socket(NETLINK_GENERIC); }
static void open_route(void) { open_socket(NETLINK_ROUTE); }

static void open_events(void)
{
	int group = RTNLGRP_IPV4_ROUTE, bytes = QUEUE;

	open_socket(NETLINK_ROUTE);
	if (setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) ||
	    mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		fail("cannot join the multicast group");
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
		fail("error reply");
	return result;
}

static void ask(const struct nlmsghdr *h)
{
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		fail("send");
}

static uint64_t request(uint64_t n)
{
	sum = 0;
	while (n--) {
		ask(get_family(buf, 0, ++seq, names[0]));
		receive(seq, port, id_cb, NULL);
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

static uint64_t events(uint64_t n)
{
	sum = 0;
	for (n *= EVENTS; n--;)
		receive(0, 0, route_cb, &sum);
	return sum;
}

static uint64_t batch(uint64_t n)
{
	static char requests[BUFFER];

	sum = 0;
	while (n--) {
		struct mnl_nlmsg_batch *b = mnl_nlmsg_batch_start(requests, BUFFER / 2);

		for (int i = 0; i < BATCHED; i++) {
			get_family(mnl_nlmsg_batch_current(b), 0, ++seq, names[i % 4]);
			if (!mnl_nlmsg_batch_next(b))
				fail("batch full");
		}
		if (mnl_socket_sendto(nl, mnl_nlmsg_batch_head(b), mnl_nlmsg_batch_size(b)) < 0)
			fail("send");
		mnl_nlmsg_batch_stop(b);
		for (uint32_t i = BATCHED; i--;)
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
	{ "typed-link", "libmnl", NULL, { typed_link, NULL } },
	{ "typed-link-copied", "libmnl", NULL, { typed_copied, NULL } },
	{ "typed-route", "libmnl", NULL, { typed_route, NULL } },
	{ "typed-nft", "libmnl", NULL, { typed_nft, NULL } },
	{ "typed-flow", "libmnl", NULL, { typed_flow, NULL } },
	{ "table-small", "libmnl", open_tables, { table_small, NULL } },
	{ "request", "libmnl", open_generic, { request, NULL } },
	{ "routes10k", "libmnl", open_route, { routes, NULL } },
	{ "routes1m", "libmnl", open_route, { routes, NULL } },
	{ "events", "libmnl", open_events, { events, NULL } },
	{ "batch", "libmnl", open_generic, { batch, NULL } },
	{ NULL, NULL, NULL, { NULL, NULL } },
};
