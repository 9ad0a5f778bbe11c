/* Encoding without a library. */
#include "inline.h"
#include "encode.h"

#include <netinet/in.h>

static inline unsigned char *header(unsigned char *p, uint32_t len, uint16_t type)
{
	struct nlattr *a = (void *)p;
	a->nla_len = NLA_HDRLEN + len;
	a->nla_type = type;
	return p + NLA_HDRLEN;
}

static inline unsigned char *pad(unsigned char *p, uint32_t len)
{
	for (; len % NLA_ALIGNTO; len++)
		*p++ = 0;
	return p;
}

static inline unsigned char *put(unsigned char *p, uint16_t type, const void *v, uint32_t len)
{
	p = header(p, len, type);
	memcpy(p, v, len);
	return pad(p + len, len);
}

static inline unsigned char *put_u16(unsigned char *p, uint16_t type, uint16_t v)
{
	return put(p, type, &v, sizeof v);
}

static inline unsigned char *put_u32(unsigned char *p, uint16_t type, uint32_t v)
{
	return put(p, type, &v, sizeof v);
}

static inline unsigned char *put_u8(unsigned char *p, uint16_t type, uint8_t v)
{
	return put(p, type, &v, sizeof v);
}

static inline unsigned char *put_u64(unsigned char *p, uint16_t type, uint64_t v)
{
	return put(p, type, &v, sizeof v);
}

static inline unsigned char *put_string(unsigned char *p, uint16_t type, const char *s)
{
	return put(p, type, s, strlen(s) + 1);
}

static inline void end_nest(unsigned char *nest, const unsigned char *end)
{
	((struct nlattr *)nest)->nla_len = end - nest;
}

static __attribute__((noinline)) uint32_t encode_request(uint32_t i)
{
	struct nlmsghdr *h = (void *)buf;
	struct genlmsghdr *g = NLMSG_DATA(h);
	unsigned char *p = (unsigned char *)(g + 1);

	h->nlmsg_type = GENL_ID_CTRL;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = i;
	h->nlmsg_pid = 0;
	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 2;
	g->reserved = 0;
	p = put_string(p, CTRL_ATTR_FAMILY_NAME, names[i % 4]);
	return h->nlmsg_len = p - buf;
}

static inline struct nlmsghdr *link_header(uint32_t i)
{
	struct nlmsghdr *h = (void *)buf;

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = LINK_FLAGS;
	h->nlmsg_seq = i;
	h->nlmsg_pid = 0;
	return h;
}

static __attribute__((noinline)) uint32_t encode_mixed(uint32_t i)
{
	struct nlmsghdr *h = link_header(i);
	struct ifinfomsg *m = NLMSG_DATA(h);
	struct ifla_vlan_flags f = { VLAN_FLAG_GVRP, ~0u };
	unsigned char *p = (unsigned char *)(m + 1), *info, *data;

	memset(m, 0, sizeof *m);
	p = put_string(p, IFLA_IFNAME, names[i % 4]);
	p = put_u32(p, IFLA_MTU, 1500 + i);
	p = put(p, IFLA_ADDRESS, address, sizeof address);
	p = put_u32(p, IFLA_LINK, i);
	info = p;
	p = header(p, 0, IFLA_LINKINFO | NLA_F_NESTED);
	p = put_string(p, IFLA_INFO_KIND, "vlan");
	data = p;
	p = header(p, 0, IFLA_INFO_DATA | NLA_F_NESTED);
	p = put_u16(p, IFLA_VLAN_ID, i);
	p = put_u16(p, IFLA_VLAN_PROTOCOL, __builtin_bswap16(0x88a8));
	p = put(p, IFLA_VLAN_FLAGS, &f, sizeof f);
	end_nest(data, p);
	end_nest(info, p);
	p = put_u32(p, IFLA_TXQLEN, 1000);
	return h->nlmsg_len = p - buf;
}

#define START unsigned char *p = buf; struct nlmsghdr *h
#define OPEN(type, flags, seq, extra)                                         \
	h = (void *)p;                                                        \
	*h = (struct nlmsghdr){ 0, type, flags, seq, 0 };                     \
	p += sizeof *h;                                                       \
	memcpy(p, &(extra), sizeof(extra));                                   \
	p += sizeof(extra)
#define CLOSE h->nlmsg_len = p - (unsigned char *)h
#define DONE return p - buf
#define STRZ(type, s) p = put_string(p, type, s)
#define BYTES(type, v, len) p = put(p, type, v, len)
#define PUT(type, width, value) p = put_##width(p, type, value)
#define NEST(name, type) unsigned char *name = p; p = header(p, 0, (type) | NLA_F_NESTED)
#define END(name) end_nest(name, p)
#include "batch.h"

/* put_room checks the free space. It clears the padding before it copies the payload. */
static inline unsigned char *put_room(unsigned char *p, uint16_t type, const void *v, uint32_t len, uint32_t zeros)
{
	uint32_t size = NLA_ALIGN(NLA_HDRLEN + len + zeros);

	if (size > buf + sizeof buf - p)
		fail("message buffer full");
	memset(p + size - NLA_ALIGNTO, 0, NLA_ALIGNTO);
	header(p, len + zeros, type);
	memcpy(p + NLA_HDRLEN, v, len);
	return p + size;
}

static uint32_t encode_append(uint32_t i)
{
	const struct datagram *d = in.datagrams;
	struct nlmsghdr *h = link_header(i);
	unsigned char *p = NLMSG_DATA(h);

	for (int n = 0; n < APPENDED; n++) {
		p = put_room(p, 1, d->b, d->len, 0);
		p = put_room(p, 2, d->b, d->len, 1);
	}
	return h->nlmsg_len = p - buf;
}

void open_append(void) { encode = encode_append; }

void open_encode(void)
{
	encode = encoder();
}

uint64_t encode_inline(uint64_t n) { return run_encode(n); }
uint64_t check_inline(void) { return check_encode(); }
