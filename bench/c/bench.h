/* What the C columns share: the input, the lines that ../worker/main.go
 * describes, and the work on each attribute. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>

struct datagram {
	uint32_t len;
	unsigned char *b;
};

struct rule {
	uint32_t kind, len; /* numbers of NLA_* in the kernel's netlink.h */
};

enum { UNSPEC, U8, U16, U32, U64, STRING, NESTED = 8, NUL_STRING = 10, BINARY };

struct input {
	uint32_t header_len;
	uint32_t depth_count, *depths;
	uint32_t rule_count;
	struct rule *rules;
	uint32_t wanted_count, *wanted; /* types to take out of a table */
	uint32_t count;
	struct datagram *datagrams;
};

extern struct input in;

struct task {
	uint64_t (*run)(uint64_t n);
	uint64_t (*check)(void); /* NULL: run(1) */
};

struct column {
	const char *kase, *name;
	void (*open)(void); /* NULL: nothing to open */
	struct task task;
};

/* Each program has its own, the last one has no name. */
extern const struct column columns[];

/* fail ends the worker with a reason. */
void fail(const char *why) __attribute__((noreturn, cold));

/* absent ends the worker of a column that cannot have the input. */
void absent(const char *why) __attribute__((noreturn, cold));

static inline uint32_t head(const void *payload)
{
	uint32_t v;
	memcpy(&v, payload, sizeof v);
	return v;
}

static inline uint64_t touch(unsigned type, const void *payload, unsigned len)
{
	uint64_t sum = type + len;
	if (len >= 4)
		sum += head(payload);
	return sum;
}

static inline uint32_t depth_of(unsigned type)
{
	return type < in.depth_count ? in.depths[type] : 0;
}

#endif
