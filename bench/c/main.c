#include "bench.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

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

#ifdef COUNT
/* The program is built twice; this build counts what is allocated, in the
 * libraries too, and the other one is timed. */
static uint64_t allocs, bytes;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

void *malloc(size_t n)
{
	allocs++;
	bytes += n;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	allocs++;
	bytes += n * size;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	allocs++;
	bytes += n;
	return __libc_realloc(p, n);
}
#else
static const uint64_t allocs, bytes;
#endif

/* file is what is left to read of the input file. */
static uint32_t *file, *end;

static uint32_t word(void)
{
	if (file >= end)
		fail("the input file is cut short");
	return *file++;
}

static void *words(uint32_t n)
{
	void *p = file;
	if (n > (uint32_t)(end - file))
		fail("the input file is cut short");
	file += n;
	return p;
}

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		fail("the input file cannot be read");
	file = malloc(size);
	end = file + size / 4;
	if (fread(file, 1, size, f) != (size_t)size)
		fail("the input file cannot be read");
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
		/* A copy of its own, as a receive would fill: aligned. */
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
	fail("no such column");
}

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* count reads the perf event that the runner has opened, 0 without one. */
static int counter = -1;

static uint64_t count(void)
{
	uint64_t v = 0;
	if (counter >= 0 && read(counter, &v, sizeof v) != sizeof v)
		fail("the counter cannot be read");
	return v;
}

/* probe is that of ../worker/probe.go. The compiler must not see through it. */
static uint64_t probe(void)
{
	uint64_t least = UINT64_MAX;

	for (int n = 0; n < 3; n++) {
		uint64_t start = now(), took, a = 1, b = 2, c = 3, d = 4;

		for (uint64_t i = 0; i < 10000; i++) {
			a ^= i, b ^= i, c ^= i, d ^= i;
			a += i, b += i, c += i, d += i;
			a ^= i, b ^= i, c ^= i, d ^= i;
			a += i, b += i, c += i, d += i;
			__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
		}
		took = now() - start;
		if (took < least)
			least = took;
	}
	return least;
}

static void run(const struct task *t, uint64_t n)
{
	uint64_t before = probe(), a = allocs, b = bytes, calls = count();
	uint64_t start = now(), sum = t->run(n), took = now() - start;
	int64_t made = counter < 0 ? -1 : (int64_t)(count() - calls - 1);
	uint64_t after = probe();

	printf("ran %llu %llx %llu %llu %lld %llu\n", (unsigned long long)took, (unsigned long long)sum,
	       (unsigned long long)(allocs - a), (unsigned long long)(bytes - b), (long long)made,
	       (unsigned long long)(before > after ? before : after));
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
	const char *fd = getenv("NLWIRE_BENCH_COUNTER");
	const struct column *c;
	char line[64];
	unsigned long long n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4)
		fail("usage: PROGRAM CASE COLUMN FILE");
	if (fd)
		counter = atoi(fd);
	c = find(argv[1], argv[2]);
	if (strcmp(argv[3], "-"))
		load(argv[3]);
	if (c->open)
		c->open();
	puts("ready");
	while (fgets(line, sizeof line, stdin)) {
		if (!strcmp(line, "check\n"))
			printf("sum %llx\n", (unsigned long long)(c->task.check ? c->task.check() : c->task.run(1)));
		else if (sscanf(line, "run %llu", &n) == 1 || sscanf(line, "count %llu", &n) == 1)
			run(&c->task, n);
		else
			fail("not a command");
	}
	peak();
	return 0;
}
