/* Declarations shared by inline.c, encode.c, live.c and typed.c. */
#ifndef INLINE_H
#define INLINE_H

#include "bench.h"

uint64_t typed_link(uint64_t n), typed_copied(uint64_t n), typed_route(uint64_t n);
uint64_t typed_nft(uint64_t n), typed_flow(uint64_t n);

void open_encode(void), open_append(void);
uint64_t encode_inline(uint64_t n), check_inline(void);

void open_generic(void), open_route(void), open_events(void);
uint64_t request_inline(uint64_t n), batch_inline(uint64_t n);
uint64_t routes_inline(uint64_t n), events_inline(uint64_t n);

/* MESSAGES runs body once for each message. The message's attributes are rem bytes at p. */
#define MESSAGES(d, body)                                                     \
	do {                                                                  \
		const unsigned char *at = (d)->b;                             \
		uint32_t left = (d)->len;                                     \
		while (left > 0) {                                            \
			const struct nlmsghdr *h = (const void *)at;          \
			uint32_t len, step;                                   \
			if (left < NLMSG_HDRLEN)                              \
				fail("truncated message");                    \
			len = h->nlmsg_len;                                   \
			if (len < NLMSG_HDRLEN || len > left)                 \
				fail("invalid message length");               \
			if (h->nlmsg_type >= NLMSG_MIN_TYPE &&                \
			    len > NLMSG_HDRLEN + in.header_len) {             \
				const unsigned char *p =                      \
					at + NLMSG_HDRLEN + in.header_len;    \
				uint32_t rem =                                \
					len - NLMSG_HDRLEN - in.header_len;   \
				body;                                         \
			}                                                     \
			step = NLMSG_ALIGN(len);                              \
			if (step >= left)                                     \
				break;                                        \
			at += step;                                           \
			left -= step;                                         \
		}                                                             \
	} while (0)

#endif
