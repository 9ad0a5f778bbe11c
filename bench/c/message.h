/* The encoded messages and the kernel requests. They are the same in every column and in
 * ../worker/messages.go. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "bench.h"

#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

/* Messages in an operation of "encode". */
enum { MESSAGES_PER_OP = 64 };
enum { LINK_FLAGS = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL };
/* Events in an operation of "events", and requests in an operation of "batch". */
enum { EVENTS = 1000, BATCHED = 64 };

enum { BUFFER = 32 << 10, SMALL = 2048, BATCH = 64, QUEUE = 8 << 20 };

static const char *const names[] = { "nlctrl", "ethtool", "netdev", "tcp_metrics" };
static const unsigned char address[6] = { 2, 0, 0, 0, 0, 1 };

/* The inputs of "encode" have no datagrams. The length of the family header selects the message. */
enum { REQUEST = 0, NFT = 4, MIXED = 16, TC = 20 };

/* messages returns the number of messages in an operation of "encode". */
static inline uint32_t messages(void) { return in.header_len == NFT ? 1 : MESSAGES_PER_OP; }

/* Number of byte slices, and of strings, in a message of "append". */
enum { APPENDED = 8 };

/* of_message is a cheap checksum of an encoded message. fnv1a covers all its bytes. */
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
