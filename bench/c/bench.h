/* Declarations shared by the C columns: the input, the tasks, and the work on each attribute.
 * ../worker/main.go documents the protocol between the runner and a worker. */
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
	uint32_t kind, len; /* NLA_* of include/net/netlink.h, and bytes */
};

enum { UNSPEC, U8, U16, U32, U64, STRING, NESTED = 8, NUL_STRING = 10, BINARY };

struct input {
	uint32_t header_len;
	uint32_t depth_count, *depths;
	uint32_t rule_count;
	struct rule *rules;
	uint32_t wanted_count, *wanted; /* types that are read from a table */
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
	void (*open)(void); /* may be NULL */
	struct task task;
};

/* The columns of the program. An entry without a name ends the list. */
extern const struct column columns[];

/* fail prints an error and ends the worker. */
void fail(const char *why) __attribute__((noreturn, cold));

/* absent reports that the column does not support the input, and ends the worker. */
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
