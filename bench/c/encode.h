/* Encoding into a static buffer, for all C columns. */
#ifndef ENCODE_H
#define ENCODE_H

#include "message.h"

/* The buffer is large enough for a batch of rules. */
static unsigned char buf[512 << 10] __attribute__((aligned(8)));

/* encode writes message i to buf and returns its length. */
static uint32_t (*encode)(uint32_t i);

static uint64_t run_encode(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		for (uint32_t i = 0; i < messages(); i++) {
			uint32_t len = encode(i);
			sum += of_message(buf, len);
		}
	return sum;
}

/* check_encode clears buf before each message: libmnl before 1.0.5 does not write the padding. */
static uint64_t check_encode(void)
{
	uint64_t sum = FNV_OFFSET;

	for (uint32_t i = 0; i < messages(); i++) {
		memset(buf, 0, sizeof buf);
		sum = fnv1a(sum, buf, encode(i));
	}
	return sum;
}

#endif
