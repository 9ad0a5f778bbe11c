/* Typed decoding without a library: handwritten loops with a switch. */
#include "inline.h"
#include "typed.h"


/* SWITCH iterates over the attributes in size bytes at p. Its body contains the cases, which use p and
 * len. */
#define SWITCH(p, size)                                                       \
	for (uint32_t rem = (size), len = 0; rem > 0;                         \
	     rem = NLA_ALIGN(len) < rem ? rem - NLA_ALIGN(len) : 0, (p) += NLA_ALIGN(len)) \
		if (rem < NLA_HDRLEN || (len = ((const struct nlattr *)(p))->nla_len) < NLA_HDRLEN || len > rem) \
			return -1;                                            \
		else                                                          \
			switch (((const struct nlattr *)(p))->nla_type & NLA_TYPE_MASK)

/* The cases of SWITCH: NUMBER (host byte order, of the field's size), BE (network byte order), BYTES
 * (the payload), TEXT (a string with a NUL), NEST. */
#define NUMBER(type, field)                                                   \
	case type:                                                            \
		if (len != NLA_HDRLEN + sizeof(field))                        \
			return -1;                                            \
		memcpy(&(field), p + NLA_HDRLEN, sizeof(field));              \
		break
#define BE(type, field)                                                       \
	case type:                                                            \
		if (len != NLA_HDRLEN + sizeof(field))                        \
			return -1;                                            \
		memcpy(&(field), p + NLA_HDRLEN, sizeof(field));              \
		SWAP(field);                                                  \
		break
#define BYTES(type, field)                                                    \
	case type:                                                            \
		(field) = (struct view){ p + NLA_HDRLEN, len - NLA_HDRLEN };  \
		break
#define TEXT(type, field)                                                     \
	case type:                                                            \
		(field) = (struct view){ p + NLA_HDRLEN, strnlen((const char *)p + NLA_HDRLEN, len - NLA_HDRLEN) }; \
		if ((field).len == len - NLA_HDRLEN)                          \
			return -1;                                            \
		break
#define NEST(type, decode, v)                                                 \
	case type:                                                            \
		if (decode(v, p + NLA_HDRLEN, len - NLA_HDRLEN))              \
			return -1;                                            \
		break

static int link_info(struct link *l, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) { TEXT(IFLA_INFO_KIND, l->kind); }
	return 0;
}

static int link_inet6(struct link *l, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		NUMBER(IFLA_INET6_FLAGS, l->inet6);
		NUMBER(IFLA_INET6_ADDR_GEN_MODE, l->gen_mode);
	}
	return 0;
}

static int link_families(struct link *l, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) { NEST(AF_INET6, link_inet6, l); }
	return 0;
}

static int link_stats(struct link *l, const unsigned char *p, uint32_t size)
{
	if (size < sizeof l->stats)
		return -1;
	memcpy(l->stats, p, sizeof l->stats);
	return 0;
}

static __attribute__((noinline)) int decode_link(struct link *l, const unsigned char *p, uint32_t size)
{
	const struct ifinfomsg *m = (const void *)p;

	CLEAR_LINK(l);
	l->typ = m->ifi_type;
	l->index = m->ifi_index;
	l->flags = m->ifi_flags;
	p += sizeof *m;
	SWITCH(p, size - sizeof *m) {
		BYTES(IFLA_ADDRESS, l->address);
		BYTES(IFLA_BROADCAST, l->broadcast);
		TEXT(IFLA_IFNAME, l->name);
		NUMBER(IFLA_MTU, l->mtu);
		NUMBER(IFLA_LINK, l->link);
		TEXT(IFLA_QDISC, l->qdisc);
		NUMBER(IFLA_MASTER, l->master);
		NUMBER(IFLA_TXQLEN, l->txqlen);
		NUMBER(IFLA_OPERSTATE, l->operstate);
		NUMBER(IFLA_LINKMODE, l->mode);
		NEST(IFLA_LINKINFO, link_info, l);
		NEST(IFLA_STATS64, link_stats, l);
		NEST(IFLA_AF_SPEC, link_families, l);
		NUMBER(IFLA_GROUP, l->group);
		NUMBER(IFLA_PROMISCUITY, l->promiscuity);
		NUMBER(IFLA_NUM_TX_QUEUES, l->num_tx);
		NUMBER(IFLA_NUM_RX_QUEUES, l->num_rx);
		NUMBER(IFLA_CARRIER, l->carrier);
		NUMBER(IFLA_CARRIER_CHANGES, l->changes);
		NUMBER(IFLA_GSO_MAX_SEGS, l->gso_segs);
		NUMBER(IFLA_GSO_MAX_SIZE, l->gso_size);
	}
	return 0;
}

static int decode_copied(struct link *l, const unsigned char *p, uint32_t size)
{
	return decode_link(l, p, size) ? -1 : copy_strings(l);
}

static int route_metrics(struct route *r, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		NUMBER(RTAX_MTU, r->mtu);
		NUMBER(RTAX_ADVMSS, r->adv_mss);
		NUMBER(RTAX_INITCWND, r->init_cwnd);
	}
	return 0;
}

static int route_hop(struct hop *h, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) { BYTES(RTA_GATEWAY, h->gateway); }
	return 0;
}

static int route_hops(struct route *r, const unsigned char *p, uint32_t size)
{
	while (size > 0) {
		const struct rtnexthop *n = (const void *)p;
		uint32_t step;
		struct hop *h;

		if (size < sizeof *n || n->rtnh_len < sizeof *n || n->rtnh_len > size || r->count == COUNT_OF(r->hops))
			return -1;
		h = &r->hops[r->count++];
		h->index = n->rtnh_ifindex;
		h->weight = n->rtnh_hops;
		if (route_hop(h, p + sizeof *n, n->rtnh_len - sizeof *n))
			return -1;
		step = NLA_ALIGN(n->rtnh_len);
		p += step;
		size = step < size ? size - step : 0;
	}
	return 0;
}

static __attribute__((noinline)) int decode_route(struct route *r, const unsigned char *p, uint32_t size)
{
	const struct rtmsg *m = (const void *)p;

	memset(r, 0, sizeof *r);
	r->family = m->rtm_family;
	r->dst_len = m->rtm_dst_len;
	r->kind = m->rtm_type;
	p += sizeof *m;
	SWITCH(p, size - sizeof *m) {
		BYTES(RTA_DST, r->dst);
		NUMBER(RTA_OIF, r->oif);
		BYTES(RTA_GATEWAY, r->gateway);
		NUMBER(RTA_PRIORITY, r->priority);
		BYTES(RTA_PREFSRC, r->source);
		NEST(RTA_METRICS, route_metrics, r);
		NEST(RTA_MULTIPATH, route_hops, r);
		NUMBER(RTA_TABLE, r->table);
	}
	return 0;
}

static int rule_expr(struct expr *e, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		TEXT(NFTA_EXPR_NAME, e->name);
		BYTES(NFTA_EXPR_DATA, e->data);
	}
	return 0;
}

static int rule_exprs(struct nft_rule *r, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
	case NFTA_LIST_ELEM:
		if (r->count == COUNT_OF(r->exprs) ||
		    rule_expr(&r->exprs[r->count++], p + NLA_HDRLEN, len - NLA_HDRLEN))
			return -1;
	}
	return 0;
}

static __attribute__((noinline)) int decode_rule(struct nft_rule *r, const unsigned char *p, uint32_t size)
{
	memset(r, 0, sizeof *r);
	p += sizeof(struct nfgenmsg);
	SWITCH(p, size - sizeof(struct nfgenmsg)) {
		TEXT(NFTA_RULE_TABLE, r->table);
		TEXT(NFTA_RULE_CHAIN, r->chain);
		BE(NFTA_RULE_HANDLE, r->handle);
		NEST(NFTA_RULE_EXPRESSIONS, rule_exprs, r);
		BE(NFTA_RULE_POSITION, r->position);
		BYTES(NFTA_RULE_USERDATA, r->userdata);
	}
	return 0;
}

static int tuple_ip(struct tuple *t, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		BE(CTA_IP_V4_SRC, t->src);
		BE(CTA_IP_V4_DST, t->dst);
	}
	return 0;
}

static int tuple_proto(struct tuple *t, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		NUMBER(CTA_PROTO_NUM, t->proto);
		BE(CTA_PROTO_SRC_PORT, t->from);
		BE(CTA_PROTO_DST_PORT, t->to);
	}
	return 0;
}

static int flow_tuple(struct tuple *t, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		NEST(CTA_TUPLE_IP, tuple_ip, t);
		NEST(CTA_TUPLE_PROTO, tuple_proto, t);
	}
	return 0;
}

static int flow_counters(struct counters *c, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		BE(CTA_COUNTERS_PACKETS, c->packets);
		BE(CTA_COUNTERS_BYTES, c->bytes);
	}
	return 0;
}

static int flow_times(struct flow *f, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) { BE(CTA_TIMESTAMP_START, f->start); }
	return 0;
}

static int flow_tcp(struct flow *f, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) {
		NUMBER(CTA_PROTOINFO_TCP_STATE, f->state);
		NUMBER(CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, f->scale_orig);
		NUMBER(CTA_PROTOINFO_TCP_WSCALE_REPLY, f->scale_reply);
		NUMBER(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, f->flags_orig);
		NUMBER(CTA_PROTOINFO_TCP_FLAGS_REPLY, f->flags_reply);
	}
	return 0;
}

static int flow_proto(struct flow *f, const unsigned char *p, uint32_t size)
{
	SWITCH(p, size) { NEST(CTA_PROTOINFO_TCP, flow_tcp, f); }
	return 0;
}

static __attribute__((noinline)) int decode_flow(struct flow *f, const unsigned char *p, uint32_t size)
{
	memset(f, 0, sizeof *f);
	p += sizeof(struct nfgenmsg);
	SWITCH(p, size - sizeof(struct nfgenmsg)) {
		NEST(CTA_TUPLE_ORIG, flow_tuple, &f->tuples[0]);
		NEST(CTA_TUPLE_REPLY, flow_tuple, &f->tuples[1]);
		BE(CTA_STATUS, f->status);
		NEST(CTA_PROTOINFO, flow_proto, f);
		BE(CTA_TIMEOUT, f->timeout);
		BE(CTA_MARK, f->mark);
		NEST(CTA_COUNTERS_ORIG, flow_counters, &f->counts[0]);
		NEST(CTA_COUNTERS_REPLY, flow_counters, &f->counts[1]);
		BE(CTA_USE, f->use);
		BE(CTA_ID, f->id);
		NEST(CTA_TIMESTAMP, flow_times, f);
	}
	return 0;
}

/* TYPED defines a column that decodes messages into a type and adds up the fields. */
#define TYPED(name, type, decode, sum_of)                                     \
	uint64_t name(uint64_t n)                                             \
	{                                                                     \
		static type v;                                                \
		uint64_t sum = 0;                                             \
		while (n--)                                                   \
			for (uint32_t i = 0; i < in.count; i++)               \
				MESSAGES(&in.datagrams[i], {                  \
					if (decode(&v, p - in.header_len, rem + in.header_len)) \
						fail("malformed message");    \
					sum += sum_of(&v);                    \
				});                                           \
		return sum;                                                   \
	}

TYPED(typed_link, struct link, decode_link, sum_link)
TYPED(typed_copied, struct link, decode_copied, sum_link)
TYPED(typed_route, struct route, decode_route, sum_route)
TYPED(typed_nft, struct nft_rule, decode_rule, sum_rule)
TYPED(typed_flow, struct flow, decode_flow, sum_flow)
