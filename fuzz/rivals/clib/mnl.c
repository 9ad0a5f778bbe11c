//go:build linux && cgo

#include "clib.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

typedef struct nlmsghdr msg;
typedef struct nlattr attr;

#define FUNCTIONS(X)                                                          \
	X(bool, nlmsg_ok, (const msg *, int))                                     \
	X(msg *, nlmsg_next, (const msg *, int *))                                \
	X(msg *, nlmsg_put_header, (void *))                                      \
	X(bool, attr_ok, (const attr *, int))                                     \
	X(attr *, attr_next, (const attr *))                                      \
	X(uint16_t, attr_get_type, (const attr *))                                \
	X(uint16_t, attr_get_len, (const attr *))                                 \
	X(uint8_t, attr_get_u8, (const attr *))                                   \
	X(uint16_t, attr_get_u16, (const attr *))                                 \
	X(uint32_t, attr_get_u32, (const attr *))                                 \
	X(uint64_t, attr_get_u64, (const attr *))                                 \
	X(int, attr_validate, (const attr *, int))                                \
	X(int, cb_run, (const void *, size_t, unsigned, unsigned, int (*)(const msg *, void *), void *)) \
	X(void, attr_put, (msg *, uint16_t, size_t, const void *))                \
	X(void, attr_put_u8, (msg *, uint16_t, uint8_t))                          \
	X(void, attr_put_u16, (msg *, uint16_t, uint16_t))                        \
	X(void, attr_put_u32, (msg *, uint16_t, uint32_t))                        \
	X(void, attr_put_u64, (msg *, uint16_t, uint64_t))                        \
	X(void, attr_put_strz, (msg *, uint16_t, const char *))                   \
	X(attr *, attr_nest_start, (msg *, uint16_t))                             \
	X(void, attr_nest_end, (msg *, attr *))                                   \
	X(void, attr_nest_cancel, (msg *, attr *))

static struct {
#define FIELD(type, name, args) type(*name) args;
	FUNCTIONS(FIELD)
} mnl;

const char *mnl_load(void)
{
	void *lib = dlopen("libmnl.so.0", RTLD_NOW);
	if (!lib)
		return dlerror();
#define LOAD(type, name, args) if (!(mnl.name = dlsym(lib, "mnl_" #name))) return dlerror();
	FUNCTIONS(LOAD)
	return NULL;
}

int mnl_messages(const uint8_t *b, int len, struct piece *out, int room)
{
	int n = 0, rest = len;
	for (const msg *m = (const msg *)b; n < room && mnl.nlmsg_ok(m, rest); n++) {
		out[n] = (struct piece){(const uint8_t *)m - b, m->nlmsg_len, m->nlmsg_type, m->nlmsg_len > (uint32_t)rest};
		if (out[n].outside)
			return n + 1;
		m = mnl.nlmsg_next(m, &rest);
	}
	return n;
}

int mnl_attributes(const uint8_t *b, int len, struct piece *out, int room)
{
	int n = 0;
	for (const attr *a = (const attr *)b; n < room && mnl.attr_ok(a, b + len - (const uint8_t *)a); n++) {
		out[n] = (struct piece){(const uint8_t *)a - b, mnl.attr_get_len(a), mnl.attr_get_type(a), 0};
		a = mnl.attr_next(a);
	}
	return n;
}

void mnl_value(const uint8_t *b, struct value *v)
{
	const attr *a = (const attr *)b;
	for (int type = 0; type < 12; type++)
		if (mnl.attr_validate(a, type) == 0)
			v->valid |= 1u << type;
	v->u8 = mnl.attr_get_u8(a);
	v->u16 = mnl.attr_get_u16(a);
	v->u32 = mnl.attr_get_u32(a);
	v->u64 = mnl.attr_get_u64(a);
}

static int ignore(const msg *m, void *data) { return 1; }

int mnl_answer(const uint8_t *b, int len, int *error)
{
	errno = 0;
	int result = mnl.cb_run(b, len, 0, 0, ignore, NULL);
	*error = errno;
	return result;
}

int mnl_build(const uint8_t *p, int len, uint8_t *out, int room)
{
	msg *m = mnl.nlmsg_put_header(out);
	attr *nests[16];
	int depth = 0;
	for (const uint8_t *end = p + len; p < end;) {
		uint16_t type, size;
		uint64_t v = 0;
		memcpy(&type, p + 1, 2);
		memcpy(&size, p + 3, 2);
		const uint8_t *data = p + 5;
		memcpy(&v, data, size < 8 ? size : 8);
		switch (*p) {
		case PUT: mnl.attr_put(m, type, size, data); break;
		case PUT_U8: mnl.attr_put_u8(m, type, v); break;
		case PUT_U16: mnl.attr_put_u16(m, type, v); break;
		case PUT_U32: mnl.attr_put_u32(m, type, v); break;
		case PUT_U64: mnl.attr_put_u64(m, type, v); break;
		case PUT_STRZ: mnl.attr_put_strz(m, type, (const char *)data); break;
		case NEST: nests[depth++] = mnl.attr_nest_start(m, type); break;
		case NEST_END: mnl.attr_nest_end(m, nests[--depth]); break;
		case NEST_CANCEL: mnl.attr_nest_cancel(m, nests[--depth]); break;
		}
		p = data + size;
	}
	return m->nlmsg_len;
}
