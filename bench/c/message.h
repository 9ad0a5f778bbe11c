/* The messages that are encoded, the same in every column and in
 * ../worker/messages.go, and what is read from the kernel's answers. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "bench.h"

#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

/* An operation of "encode" is so many messages. */
enum { MESSAGES_PER_OP = 64 };
/* A round of "flood" is so many events, an operation of "pipeline" so many
 * requests. */
enum { FLOOD = 1000, PIPELINE = 64 };

enum { BUFFER = 32 << 10, SMALL = 2048, BATCH = 64, QUEUE = 8 << 20 };

static const char *const names[] = { "nlctrl", "ethtool", "netdev", "tcp_metrics" };
static const unsigned char address[6] = { 2, 0, 0, 0, 0, 1 };

/* input "mixed" has no datagrams but a header length; "request" has none. */
static inline int is_mixed(void) { return in.header_len != 0; }

/* of_message is the cheap checksum of an encoded message, fnv1a the whole one. */
static inline uint64_t of_message(const void *b, uint32_t len)
{
	return len + ((const struct nlmsghdr *)b)->nlmsg_seq;
}

static inline uint64_t fnv1a(uint64_t sum, const void *b, uint32_t len)
{
	for (const unsigned char *p = b; len--; p++)
		sum = (sum ^ *p) * 0x100000001b3;
	return sum;
}

#define FNV_OFFSET 0xcbf29ce484222325ull

/* RUN_ENCODE has encode(i) return the length of message i, which is at b. */
#define RUN_ENCODE(n, b, encode)                                              \
	do {                                                                  \
		uint64_t sum = 0;                                             \
		while ((n)--)                                                 \
			for (uint32_t i = 0; i < MESSAGES_PER_OP; i++) {      \
				uint32_t len = encode(i);                     \
				sum += of_message(b, len);                    \
			}                                                     \
		return sum;                                                   \
	} while (0)

/* CHECK_ENCODE clears b each time: libmnl before 1.0.5 leaves padding as it is. */
#define CHECK_ENCODE(b, encode)                                               \
	do {                                                                  \
		uint64_t sum = FNV_OFFSET;                                    \
		for (uint32_t i = 0; i < MESSAGES_PER_OP; i++) {              \
			uint32_t len;                                         \
			memset(b, 0, SMALL);                                  \
			len = encode(i);                                      \
			sum = fnv1a(sum, b, len);                             \
		}                                                             \
		return sum;                                                   \
	} while (0)

#endif
