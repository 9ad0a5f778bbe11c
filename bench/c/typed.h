/* The types of "typed-link", "typed-route", "typed-nft" and "typed-flow". ../worker/typed.go has the
 * same types. */
#ifndef TYPED_H
#define TYPED_H

#include "bench.h"

#include <stddef.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

struct view {
	const unsigned char *p;
	uint32_t len;
};

struct link {
	uint16_t typ;
	uint32_t index, flags;
	struct view name, qdisc, kind, address, broadcast;
	uint32_t mtu, link, master, txqlen, group, promiscuity;
	uint32_t num_tx, num_rx, gso_segs, gso_size, changes, inet6;
	uint8_t operstate, mode, carrier, gen_mode;
	uint64_t stats[8];
	unsigned char text[512]; /* storage of copied strings */
};

struct hop {
	uint32_t index;
	uint8_t weight;
	struct view gateway;
};

struct route {
	uint8_t family, dst_len, kind;
	uint32_t table, priority, oif, mtu, adv_mss, init_cwnd;
	struct view dst, source, gateway;
	struct hop hops[8];
	uint32_t count;
};

struct expr {
	struct view name, data;
};

struct nft_rule {
	struct view table, chain, userdata;
	uint64_t handle, position;
	struct expr exprs[16];
	uint32_t count;
};

struct tuple {
	uint32_t src, dst;
	uint16_t from, to;
	uint8_t proto;
};

struct counters {
	uint64_t packets, bytes;
};

struct flow {
	struct tuple tuples[2];
	struct counters counts[2];
	uint64_t start;
	uint32_t status, timeout, mark, id, use;
	uint8_t state, scale_orig, scale_reply;
	uint16_t flags_orig, flags_reply;
};

/* CLEAR_LINK zeroes a link except its text. */
#define CLEAR_LINK(l) memset(l, 0, offsetof(struct link, text))

/* SWAP reverses the byte order of an integer of 2, 4 or 8 bytes. */
#define SWAP(v)                                                               \
	((v) = sizeof(v) == 2 ? __builtin_bswap16(v) :                        \
	       sizeof(v) == 4 ? __builtin_bswap32(v) : __builtin_bswap64(v))

static inline uint64_t of_text(const struct view *v)
{
	return v->len ? v->len + v->p[0] + v->p[v->len - 1] : 0;
}

static inline uint64_t sum_link(const struct link *l)
{
	uint64_t sum = (uint64_t)l->typ + l->index + l->flags + of_text(&l->name) + of_text(&l->qdisc) +
		       of_text(&l->kind) + of_text(&l->address) + of_text(&l->broadcast) + l->mtu + l->link +
		       l->master + l->txqlen + l->group + l->promiscuity + l->num_tx + l->num_rx +
		       l->gso_segs + l->gso_size + l->changes + l->inet6 + l->operstate + l->mode +
		       l->carrier + l->gen_mode;

	for (uint32_t i = 0; i < COUNT_OF(l->stats); i++)
		sum += l->stats[i];
	return sum;
}

static inline uint64_t sum_route(const struct route *r)
{
	uint64_t sum = (uint64_t)r->family + r->dst_len + r->kind + r->table + r->priority + r->oif + r->mtu +
		       r->adv_mss + r->init_cwnd + of_text(&r->dst) + of_text(&r->source) + of_text(&r->gateway);

	for (uint32_t i = 0; i < r->count; i++)
		sum += (uint64_t)r->hops[i].index + r->hops[i].weight + of_text(&r->hops[i].gateway);
	return sum;
}

static inline uint64_t sum_rule(const struct nft_rule *r)
{
	uint64_t sum = of_text(&r->table) + of_text(&r->chain) + of_text(&r->userdata) + r->handle + r->position;

	for (uint32_t i = 0; i < r->count; i++)
		sum += of_text(&r->exprs[i].name) + of_text(&r->exprs[i].data);
	return sum;
}

static inline uint64_t sum_flow(const struct flow *f)
{
	uint64_t sum = f->start + f->status + f->timeout + f->mark + f->id + f->use + f->state + f->scale_orig +
		       f->scale_reply + f->flags_orig + f->flags_reply;

	for (int i = 0; i < 2; i++) {
		const struct tuple *t = &f->tuples[i];

		sum += (uint64_t)t->src + t->dst + t->from + t->to + t->proto + f->counts[i].packets +
		       f->counts[i].bytes;
	}
	return sum;
}

/* copy_strings copies the strings and addresses of a link into its text. */
static inline int copy_strings(struct link *l)
{
	struct view *all[] = { &l->name, &l->qdisc, &l->kind, &l->address, &l->broadcast };
	uint32_t used = 0;

	for (uint32_t i = 0; i < COUNT_OF(all); i++) {
		if (all[i]->len > sizeof l->text - used)
			return -1;
		memcpy(l->text + used, all[i]->p, all[i]->len);
		all[i]->p = l->text + used;
		used += all[i]->len;
	}
	return 0;
}

#endif
