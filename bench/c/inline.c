/* The columns without a library: handwritten loops. */
#include "bench.h"
#include "inline.h"

static inline uint64_t walk(const unsigned char *p, uint32_t rem)
{
	uint64_t sum = 0;

	while (rem > 0) {
		const struct nlattr *a = (const void *)p;
		uint32_t len, step;

		if (rem < NLA_HDRLEN)
			fail("truncated attribute");
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > rem)
			fail("invalid attribute length");
		sum += touch(a->nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN, len - NLA_HDRLEN);
		step = NLA_ALIGN(len);
		if (step >= rem)
			break;
		p += step;
		rem -= step;
	}
	return sum;
}

static inline uint64_t walk_predicted(const unsigned char *p, uint32_t rem)
{
	uint64_t sum = 0;

	while (rem > 0) {
		const struct nlattr *a = (const void *)p;
		uint32_t len, step;

		if (rem < NLA_HDRLEN)
			fail("truncated attribute");
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > rem)
			fail("invalid attribute length");
		sum += touch(a->nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN, len - NLA_HDRLEN);
		step = NLA_ALIGN(len);
		if (len == 8) {
			if (rem == 8)
				break;
			p += 8;
			rem -= 8;
			__asm__("" : "+r"(p)); /* keeps the compiler from merging the branches */
			continue;
		}
		if (step >= rem)
			break;
		p += step;
		rem -= step;
	}
	return sum;
}

static uint64_t decode(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < in.count; i++)
			MESSAGES(&in.datagrams[i], sum += walk(p, rem));
	return sum;
}

static uint64_t decode_predicted(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < in.count; i++)
			MESSAGES(&in.datagrams[i], sum += walk_predicted(p, rem));
	return sum;
}

/* deep walks the attributes at p. With levels above 1, each attribute is a nest and is walked too. */
static uint64_t deep(const unsigned char *p, uint32_t rem, uint32_t levels)
{
	uint64_t sum = 0;

	while (rem > 0) {
		const struct nlattr *a = (const void *)p;
		uint32_t len, step;

		if (rem < NLA_HDRLEN)
			fail("truncated attribute");
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > rem)
			fail("invalid attribute length");
		sum += touch(a->nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN, len - NLA_HDRLEN);
		if (levels > 1)
			sum += deep(p + NLA_HDRLEN, len - NLA_HDRLEN, levels - 1);
		step = NLA_ALIGN(len);
		if (step >= rem)
			break;
		p += step;
		rem -= step;
	}
	return sum;
}

static inline uint64_t walk_deep(const unsigned char *p, uint32_t rem)
{
	uint64_t sum = 0;

	while (rem > 0) {
		const struct nlattr *a = (const void *)p;
		uint32_t len, step, type, levels;

		if (rem < NLA_HDRLEN)
			fail("truncated attribute");
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > rem)
			fail("invalid attribute length");
		type = a->nla_type & NLA_TYPE_MASK;
		sum += touch(type, p + NLA_HDRLEN, len - NLA_HDRLEN);
		levels = depth_of(type);
		if (levels)
			sum += deep(p + NLA_HDRLEN, len - NLA_HDRLEN, levels);
		step = NLA_ALIGN(len);
		if (step >= rem)
			break;
		p += step;
		rem -= step;
	}
	return sum;
}

static uint64_t decode_deep(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < in.count; i++)
			MESSAGES(&in.datagrams[i], sum += walk_deep(p, rem));
	return sum;
}

/* A policy is a minimum and a maximum payload length and one further condition. NUL_ENDS: the last
 * byte is NUL. NEST: the payload is empty or at least as long as an attribute header. */
enum { NOTHING, NUL_ENDS, NEST };
static struct limit {
	uint16_t least, most, also;
} *limits;
static const struct nlattr **table;

static void open_policy(void)
{
	limits = calloc(in.rule_count, sizeof *limits);
	table = calloc(in.rule_count, sizeof *table);
	for (uint32_t t = 0; t < in.rule_count; t++) {
		static const uint16_t sizes[] = { [U8] = 1, [U16] = 2, [U32] = 4, [U64] = 8 };
		const struct rule *r = &in.rules[t];
		struct limit *l = &limits[t];

		l->most = r->len && r->kind != UNSPEC ? r->len : 0xffff;
		switch (r->kind) {
		case U8: case U16: case U32: case U64:
			l->least = sizes[r->kind];
			l->most = 0xffff;
			break;
		case STRING:
			l->least = 1;
			break;
		case NUL_STRING:
			l->least = 1;
			l->also = NUL_ENDS;
			if (r->len)
				l->most = r->len + 1;
			break;
		case NESTED:
			l->also = NEST;
			break;
		case UNSPEC:
			l->least = r->len;
		}
	}
}

static inline uint64_t parse(const unsigned char *p, uint32_t rem)
{
	uint64_t sum = 0;

	memset(table, 0, in.rule_count * sizeof *table);
	while (rem > 0) {
		const struct nlattr *a = (const void *)p;
		uint32_t len, step, type;

		if (rem < NLA_HDRLEN)
			fail("truncated attribute");
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > rem)
			fail("invalid attribute length");
		type = a->nla_type & NLA_TYPE_MASK;
		if (type > 0 && type < in.rule_count) {
			const struct limit *l = &limits[type];
			uint32_t size = len - NLA_HDRLEN;

			if (size < l->least || size > l->most ||
			    (l->also == NUL_ENDS && p[len - 1]) ||
			    (l->also == NEST && size > 0 && size < NLA_HDRLEN))
				fail("attribute violates the policy");
			table[type] = a;
		}
		step = NLA_ALIGN(len);
		if (step >= rem)
			break;
		p += step;
		rem -= step;
	}
	for (uint32_t i = 0; i < in.wanted_count; i++) {
		const struct nlattr *a = table[in.wanted[i]];
		if (a)
			sum += touch(a->nla_type & NLA_TYPE_MASK, (const unsigned char *)a + NLA_HDRLEN,
				     a->nla_len - NLA_HDRLEN);
	}
	return sum;
}

static uint64_t decode_policy(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < in.count; i++)
			MESSAGES(&in.datagrams[i], sum += parse(p, rem));
	return sum;
}

/* tables holds one table for each nesting level. */
static const struct nlattr **tables[3];

static void open_table(void)
{
	for (int i = 0; i < 3; i++)
		tables[i] = calloc(in.rule_count, sizeof **tables);
}

static uint64_t small(int level, const unsigned char *p, uint32_t rem, uint32_t depth)
{
	const struct nlattr **tb = tables[level];
	uint64_t sum = 0;

	memset(tb, 0, in.rule_count * sizeof *tb);
	while (rem > 0) {
		const struct nlattr *a = (const void *)p;
		uint32_t len, step;

		if (rem < NLA_HDRLEN)
			fail("truncated attribute");
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > rem)
			fail("invalid attribute length");
		if ((a->nla_type & NLA_TYPE_MASK) < in.rule_count)
			tb[a->nla_type & NLA_TYPE_MASK] = a;
		step = NLA_ALIGN(len);
		if (step >= rem)
			break;
		p += step;
		rem -= step;
	}
	for (uint32_t i = 0; i < in.wanted_count; i++) {
		const struct nlattr *a = tb[in.wanted[i]];
		uint32_t below = level ? depth - 1 : depth_of(in.wanted[i]);

		if (!a)
			continue;
		sum += touch(a->nla_type & NLA_TYPE_MASK, a + 1, a->nla_len - NLA_HDRLEN);
		if (below)
			sum += small(level + 1, (const void *)(a + 1), a->nla_len - NLA_HDRLEN, below);
	}
	return sum;
}

static uint64_t table_small(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < in.count; i++)
			MESSAGES(&in.datagrams[i], sum += small(0, p, rem, 0));
	return sum;
}

const struct column columns[] = {
	{ "decode", "c-inline", NULL, { decode, NULL } },
	{ "decode", "c-predicted", NULL, { decode_predicted, NULL } },
	{ "decode-deep", "c-inline", NULL, { decode_deep, NULL } },
	{ "decode-policy", "c-inline", open_policy, { decode_policy, NULL } },
	{ "encode", "c-inline", open_encode, { encode_inline, check_inline } },
	{ "append", "c-inline", open_append, { encode_inline, check_inline } },
	{ "typed-link", "c-inline", NULL, { typed_link, NULL } },
	{ "typed-link-copied", "c-inline", NULL, { typed_copied, NULL } },
	{ "typed-route", "c-inline", NULL, { typed_route, NULL } },
	{ "typed-nft", "c-inline", NULL, { typed_nft, NULL } },
	{ "typed-flow", "c-inline", NULL, { typed_flow, NULL } },
	{ "table-small", "c-inline", open_table, { table_small, NULL } },
	{ "request", "c-inline", open_generic, { request_inline, NULL } },
	{ "routes10k", "c-inline", open_route, { routes_inline, NULL } },
	{ "routes1m", "c-inline", open_route, { routes_inline, NULL } },
	{ "events", "c-inline", open_events, { events_inline, NULL } },
	{ "batch", "c-inline", open_generic, { batch_inline, NULL } },
	{ NULL, NULL, NULL, { NULL, NULL } },
};
