//go:build linux && cgo

#include "clib.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef struct nlmsghdr msg;
typedef struct nlattr attr;
typedef void any; // opaque here: nl_msg, nl_sock, nl_cb, nl_cache

#define FUNCTIONS(X)                                                          \
	X(int, nlmsg_ok, (const msg *, int))                                      \
	X(msg *, nlmsg_next, (msg *, int *))                                      \
	X(int, nla_ok, (const attr *, int))                                       \
	X(attr *, nla_next, (const attr *, int *))                                \
	X(int, nla_type, (const attr *))                                          \
	X(attr *, nla_find, (const attr *, int, int))                             \
	X(int, nla_parse, (attr **, int, attr *, int, const struct rule *))       \
	X(uint8_t, nla_get_u8, (const attr *))                                    \
	X(uint16_t, nla_get_u16, (const attr *))                                  \
	X(uint32_t, nla_get_u32, (const attr *))                                  \
	X(uint64_t, nla_get_u64, (const attr *))                                  \
	X(size_t, nla_strlcpy, (char *, const attr *, size_t))                    \
	X(any *, nlmsg_alloc_size, (size_t))                                      \
	X(any *, nlmsg_convert, (msg *))                                          \
	X(void, nlmsg_free, (any *))                                              \
	X(msg *, nlmsg_put, (any *, uint32_t, uint32_t, int, int, int))           \
	X(msg *, nlmsg_hdr, (any *))                                              \
	X(void, nlmsg_set_proto, (any *, int))                                    \
	X(int, nla_put, (any *, int, int, const void *))                          \
	X(int, nla_put_u8, (any *, int, uint8_t))                                 \
	X(int, nla_put_u16, (any *, int, uint16_t))                               \
	X(int, nla_put_u32, (any *, int, uint32_t))                               \
	X(int, nla_put_u64, (any *, int, uint64_t))                               \
	X(int, nla_put_string, (any *, int, const char *))                        \
	X(attr *, nla_nest_start, (any *, int))                                   \
	X(int, nla_nest_end, (any *, attr *))                                     \
	X(void, nla_nest_cancel, (any *, const attr *))                           \
	X(any *, nl_socket_alloc, (void))                                         \
	X(any *, nl_cb_alloc, (int))                                              \
	X(int, nl_cb_err, (any *, int, int (*)(struct sockaddr_nl *, struct nlmsgerr *, void *), void *)) \
	X(void, nl_cb_overwrite_recv, (any *, int (*)(any *, struct sockaddr_nl *, unsigned char **, any **))) \
	X(int, nl_cb_set, (any *, int, int, int (*)(any *, void *), void *))      \
	X(int, nl_recvmsgs, (any *, any *))                                       \
	X(int, nl_cache_parse_and_add, (any *, any *))                            \
	X(any *, nl_cache_get_first, (any *))                                     \
	X(void, nl_cache_clear, (any *))

#define GENL_FUNCTIONS(X)                                                     \
	X(int, genl_ctrl_alloc_cache, (any *, any **))                            \
	X(unsigned, genl_family_get_id, (any *))                                  \
	X(char *, genl_family_get_name, (any *))                                  \
	X(uint8_t, genl_family_get_version, (any *))                              \
	X(uint32_t, genl_family_get_hdrsize, (any *))                             \
	X(uint32_t, genl_family_get_maxattr, (any *))

static struct {
#define FIELD(type, name, args) type(*name) args;
	FUNCTIONS(FIELD)
	GENL_FUNCTIONS(FIELD)
} nl;

// Allocated once. The functions in this file must not be called concurrently.
static any *families, *sock, *callbacks;

// The state of the current call for the callbacks of nl_recvmsgs.
static struct {
	const uint8_t *b;
	int len, error;
} now;

static int give(any *sk, struct sockaddr_nl *from, unsigned char **buf, any **creds)
{
	int len = now.len;
	if (len > 0) {
		*buf = malloc(len);
		memcpy(*buf, now.b, len);
		from->nl_family = AF_NETLINK;
	}
	now.len = 0;
	return len;
}

// The constants of netlink/handlers.h.
enum { CB_SEQ_CHECK = 8, CB_DEFAULT = 0, CB_CUSTOM = 3, RESULT_OK = 0, RESULT_STOP = 2 };

static int failed(struct sockaddr_nl *from, struct nlmsgerr *e, void *data)
{
	now.error = e->error;
	return RESULT_STOP;
}

static int accept_any(any *m, void *data) { return RESULT_OK; }

static const char *hear(void)
{
	sock = nl.nl_socket_alloc();
	callbacks = nl.nl_cb_alloc(CB_DEFAULT);
	if (!sock || !callbacks)
		return "libnl-3: no socket";
	nl.nl_cb_overwrite_recv(callbacks, give);
	nl.nl_cb_err(callbacks, CB_CUSTOM, failed, NULL);
	nl.nl_cb_set(callbacks, CB_SEQ_CHECK, CB_CUSTOM, accept_any, NULL);
	return NULL;
}

const char *nl_load(void)
{
	void *lib = dlopen("libnl-3.so.200", RTLD_NOW | RTLD_GLOBAL);
	if (!lib)
		return dlerror();
#define LOAD(type, name, args) if (!(nl.name = dlsym(lib, #name))) return dlerror();
	FUNCTIONS(LOAD)
	lib = dlopen("libnl-genl-3.so.200", RTLD_NOW);
	if (!lib)
		return dlerror();
	GENL_FUNCTIONS(LOAD)
	if (nl.genl_ctrl_alloc_cache(NULL, &families) < 0)
		return "libnl-genl-3: no cache of families";
	return hear();
}

int nl_messages(const uint8_t *b, int len, struct piece *out, int room)
{
	int n = 0, rest = len;
	for (msg *m = (msg *)b; n < room && nl.nlmsg_ok(m, rest); n++) {
		out[n] = (struct piece){(uint8_t *)m - b, m->nlmsg_len, m->nlmsg_type, m->nlmsg_len > (uint32_t)rest};
		if (out[n].outside)
			return n + 1;
		m = nl.nlmsg_next(m, &rest);
	}
	return n;
}

int nl_attributes(const uint8_t *b, int len, struct piece *out, int room)
{
	int n = 0, rest = len;
	for (const attr *a = (const attr *)b; n < room && nl.nla_ok(a, rest); n++) {
		out[n] = (struct piece){(const uint8_t *)a - b, a->nla_len, nl.nla_type(a), a->nla_len > rest};
		if (out[n].outside)
			return n + 1;
		a = nl.nla_next(a, &rest);
	}
	return n;
}

int nl_find(const uint8_t *b, int len, int type)
{
	const attr *a = nl.nla_find((const attr *)b, len, type);
	return a ? (const uint8_t *)a - b : -1;
}

void nl_value(const uint8_t *b, struct value *v)
{
	const attr *a = (const attr *)b;
	v->u8 = nl.nla_get_u8(a);
	v->u16 = nl.nla_get_u16(a);
	v->u32 = nl.nla_get_u32(a);
	v->u64 = nl.nla_get_u64(a);
	nl.nla_strlcpy(v->text, a, sizeof v->text);
	v->text_len = strlen(v->text);
}

int nl_parse_attributes(const uint8_t *b, int len, const struct rule *rules, int max, int32_t *table)
{
	attr *tb[64];
	int err = nl.nla_parse(tb, max, (attr *)b, len, rules);
	for (int i = 0; err == 0 && i <= max; i++)
		table[i] = tb[i] ? (uint8_t *)tb[i] - b : -1;
	return err;
}

int nl_answer(const uint8_t *b, int len, int *error)
{
	now.b = b;
	now.len = len;
	now.error = 0;
	int result = nl.nl_recvmsgs(sock, callbacks);
	*error = now.error;
	return result;
}

int nl_family(const uint8_t *message, struct family *f)
{
	any *m = nl.nlmsg_convert((msg *)message);
	nl.nlmsg_set_proto(m, NETLINK_GENERIC);
	nl.nl_cache_clear(families);
	int err = nl.nl_cache_parse_and_add(families, m);
	any *found = nl.nl_cache_get_first(families);
	nl.nlmsg_free(m);
	if (err < 0 || !found)
		return err < 0 ? err : -1;
	f->id = nl.genl_family_get_id(found);
	f->version = nl.genl_family_get_version(found);
	f->header = nl.genl_family_get_hdrsize(found);
	f->max_attr = nl.genl_family_get_maxattr(found);
	strncpy(f->name, nl.genl_family_get_name(found), sizeof f->name - 1);
	return 0;
}

int nl_build(const uint8_t *p, int len, uint8_t *out, int room)
{
	any *m = nl.nlmsg_alloc_size(room);
	nl.nlmsg_put(m, 0, 0, 0, 0, 0);
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
		case PUT: nl.nla_put(m, type, size, data); break;
		case PUT_U8: nl.nla_put_u8(m, type, v); break;
		case PUT_U16: nl.nla_put_u16(m, type, v); break;
		case PUT_U32: nl.nla_put_u32(m, type, v); break;
		case PUT_U64: nl.nla_put_u64(m, type, v); break;
		case PUT_STRZ: nl.nla_put_string(m, type, (const char *)data); break;
		case NEST: nests[depth++] = nl.nla_nest_start(m, type); break;
		case NEST_END: nl.nla_nest_end(m, nests[--depth]); break;
		case NEST_CANCEL: nl.nla_nest_cancel(m, nests[--depth]); break;
		}
		p = data + size;
	}
	msg *h = nl.nlmsg_hdr(m);
	int n = h->nlmsg_len;
	memcpy(out, h, n);
	nl.nlmsg_free(m);
	return n;
}
