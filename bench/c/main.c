#include "bench.h"

#include <stdio.h>
#include <time.h>

struct input in;

void fail(const char *why)
{
	printf("error %s\n", why);
	exit(1);
}

void absent(const char *why)
{
	printf("absent %s\n", why);
	exit(0);
}

/* The unread words of the input file are between file and end. */
static uint32_t *file, *end;

static uint32_t word(void)
{
	if (file >= end)
		fail("truncated input file");
	return *file++;
}

static void *words(uint32_t n)
{
	void *p = file;
	if (n > (uint32_t)(end - file))
		fail("truncated input file");
	file += n;
	return p;
}

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		fail("cannot read the input file");
	file = malloc(size);
	end = file + size / 4;
	if (fread(file, 1, size, f) != (size_t)size)
		fail("cannot read the input file");
	fclose(f);
	in.header_len = word();
	in.depth_count = word();
	in.depths = words(in.depth_count);
	in.rule_count = word();
	in.rules = words(2 * in.rule_count);
	in.wanted_count = word();
	in.wanted = words(in.wanted_count);
	in.count = word();
	in.datagrams = calloc(in.count, sizeof *in.datagrams);
	for (uint32_t i = 0; i < in.count; i++) {
		struct datagram *d = &in.datagrams[i];
		void *at;

		d->len = word();
		at = words((d->len + 3) / 4);
		/* Each datagram has a separate, aligned buffer, as after a receive. */
		d->b = malloc(d->len);
		memcpy(d->b, at, d->len);
	}
}

static const struct column *find(const char *kase, const char *name)
{
	const struct column *c;

	for (c = columns; c->name; c++)
		if (!strcmp(c->kase, kase) && !strcmp(c->name, name))
			return c;
	fail("unknown case or column");
}

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void run(const struct task *t, uint64_t n)
{
	uint64_t start = now(), sum = t->run(n), took = now() - start;

	printf("ran %llu %llx\n", (unsigned long long)took, (unsigned long long)sum);
}

static void peak(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	long kb;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			printf("peak %ld\n", kb << 10);
}

int main(int argc, char **argv)
{
	const struct column *c;
	char line[64];
	unsigned long long n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4)
		fail("usage: PROGRAM CASE COLUMN FILE");
	c = find(argv[1], argv[2]);
	if (strcmp(argv[3], "-"))
		load(argv[3]);
	if (c->open)
		c->open();
	puts("ready");
	while (fgets(line, sizeof line, stdin)) {
		if (!strcmp(line, "check\n"))
			printf("sum %llx\n", (unsigned long long)(c->task.check ? c->task.check() : c->task.run(1)));
		else if (sscanf(line, "run %llu", &n) == 1)
			run(&c->task, n);
		else if (sscanf(line, "count %llu", &n) == 1) {
			c->task.run(n); /* consumes the events that the runner sent */
			puts("allocated -1 -1");
		}
		else
			fail("unknown command");
	}
	peak();
	return 0;
}
