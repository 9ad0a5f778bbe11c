/* The messages that are encoded, the same in every column and in
 * ../worker/messages.go, and what is read from the kernel's replies. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "bench.h"

#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

/* An operation of "encode" is so many messages. */
enum { MESSAGES_PER_OP = 64 };
enum { LINK_FLAGS = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL };
/* An operation of "events" is so many events, an operation of "batch" so many requests. */
enum { EVENTS = 1000, BATCHED = 64 };

enum { BUFFER = 32 << 10, SMALL = 2048, BATCH = 64, QUEUE = 8 << 20 };

static const char *const names[] = { "nlctrl", "ethtool", "netdev", "tcp_metrics" };
static const unsigned char address[6] = { 2, 0, 0, 0, 0, 1 };

/* The inputs of "encode" have no datagrams: the length of the family's header is which
 * message it is. */
enum { REQUEST = 0, NFT = 4, MIXED = 16, TC = 20 };

/* messages is how many an operation of "encode" makes. */
static inline uint32_t messages(void) { return in.header_len == NFT ? 1 : MESSAGES_PER_OP; }

/* "append" has so many byte slices and as many strings in a message. */
enum { APPENDED = 8 };

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

#endif
