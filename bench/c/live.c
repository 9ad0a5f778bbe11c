/* Requests to the running kernel without a library. The system calls are direct, and the checks are
 * those of a library: sender, sequence number, port ID and NLM_F_DUMP_INTR. */
#define _GNU_SOURCE
#include "inline.h"
#include "message.h"

#include <sys/socket.h>
#include <unistd.h>

static int fd;
static uint32_t seq, port;
static unsigned char *buf;
static unsigned char request[BATCHED * 64];
static struct mmsghdr batch[BATCH];
static struct iovec iov[BATCH];
static struct sockaddr_nl senders[BATCH];

static void open_socket(int protocol)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof self;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, (void *)&self, sizeof self) || getsockname(fd, (void *)&self, &size))
		fail("cannot open the socket");
	port = self.nl_pid;
	buf = malloc(BUFFER);
	for (int i = 0; i < BATCH; i++) {
		iov[i].iov_base = malloc(SMALL);
		iov[i].iov_len = SMALL;
		batch[i].msg_hdr.msg_iov = &iov[i];
		batch[i].msg_hdr.msg_iovlen = 1;
		batch[i].msg_hdr.msg_name = &senders[i];
	}
}

void open_generic(void) { open_socket(NETLINK_GENERIC); }

void open_route(void) { open_socket(NETLINK_ROUTE); }

void open_events(void)
{
	int group = RTNLGRP_IPV4_ROUTE, bytes = QUEUE;

	open_socket(NETLINK_ROUTE);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group))
		fail("cannot join the multicast group");
}

static void send_all(const void *b, uint32_t len)
{
	if (send(fd, b, len, 0) != (ssize_t)len)
		fail("send");
}

/* receive reads one datagram of the kernel into buf and returns its length. */
static uint32_t receive(void)
{
	struct sockaddr_nl from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(fd, buf, BUFFER, MSG_TRUNC, (void *)&from, &size);

	if (n <= 0 || n > BUFFER || from.nl_pid)
		fail("receive");
	return n;
}

/* receive_batch fills batch and returns the number of datagrams. */
static int receive_batch(void)
{
	int n;

	for (int i = 0; i < BATCH; i++)
		batch[i].msg_hdr.msg_namelen = sizeof senders[i];
	n = recvmmsg(fd, batch, BATCH, MSG_WAITFORONE, NULL);
	if (n <= 0)
		fail("receive");
	for (int i = 0; i < n; i++)
		if (senders[i].nl_pid || batch[i].msg_hdr.msg_flags & MSG_TRUNC)
			fail("receive");
	return n;
}

/* ATTRS runs body for each attribute a in the len bytes at p. */
#define ATTRS(p, len, body)                                                   \
	do {                                                                  \
		const unsigned char *at_ = (const void *)(p);                 \
		uint32_t rem_ = (len);                                        \
		while (rem_ > 0) {                                            \
			const struct nlattr *a = (const void *)at_;           \
			uint32_t step_;                                       \
			if (rem_ < NLA_HDRLEN || a->nla_len < NLA_HDRLEN ||   \
			    a->nla_len > rem_)                                \
				fail("malformed attribute");                  \
			body;                                                 \
			step_ = NLA_ALIGN(a->nla_len);                        \
			if (step_ >= rem_)                                    \
				break;                                        \
			at_ += step_;                                         \
			rem_ -= step_;                                        \
		}                                                             \
	} while (0)

static inline const void *data(const struct nlattr *a) { return (const char *)a + NLA_HDRLEN; }
static inline int type(const struct nlattr *a) { return a->nla_type & NLA_TYPE_MASK; }

static inline uint32_t u32(const struct nlattr *a)
{
	if (a->nla_len < NLA_HDRLEN + 4)
		fail("attribute too short");
	return head(data(a));
}

static inline uint32_t u16(const struct nlattr *a)
{
	uint16_t v;
	if (a->nla_len < NLA_HDRLEN + 2)
		fail("attribute too short");
	memcpy(&v, data(a), sizeof v);
	return v;
}

/* walk calls f for each message of a datagram and adds up the results. It returns 1 after NLMSG_DONE.
 * For events number is 0, and the header is not compared. */
static inline int walk(const unsigned char *b, uint32_t left, uint32_t number, uint64_t (*f)(const struct nlmsghdr *),
		       uint64_t *sum)
{
	while (left > 0) {
		const struct nlmsghdr *h = (const void *)b;
		uint32_t step;

		if (left < NLMSG_HDRLEN || h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > left)
			fail("malformed message");
		if (number && (h->nlmsg_seq != number || h->nlmsg_pid != port || h->nlmsg_flags & NLM_F_DUMP_INTR))
			fail("unexpected reply");
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR)
			fail("error reply");
		*sum += f(h);
		step = NLMSG_ALIGN(h->nlmsg_len);
		if (step >= left)
			break;
		b += step;
		left -= step;
	}
	return 0;
}

static uint32_t get_family(unsigned char *b, uint32_t number, const char *name)
{
	struct nlmsghdr *h = (void *)b;
	struct genlmsghdr *g = NLMSG_DATA(h);
	struct nlattr *a = (void *)(g + 1);
	uint32_t len = NLMSG_HDRLEN + GENL_HDRLEN;

	h->nlmsg_type = GENL_ID_CTRL;
	h->nlmsg_flags = NLM_F_REQUEST | (name ? 0 : NLM_F_DUMP);
	h->nlmsg_seq = number;
	h->nlmsg_pid = 0;
	memset(g, 0, sizeof *g);
	g->cmd = CTRL_CMD_GETFAMILY;
	g->version = 2;
	if (name) {
		uint32_t n = strlen(name) + 1;

		a->nla_type = CTRL_ATTR_FAMILY_NAME;
		a->nla_len = NLA_HDRLEN + n;
		memcpy(a + 1, name, n);
		memset((char *)(a + 1) + n, 0, NLA_ALIGN(n) - n);
		len += NLA_HDRLEN + NLA_ALIGN(n);
	}
	return h->nlmsg_len = len;
}

static inline uint64_t family_id(const struct nlmsghdr *h)
{
	const uint32_t start = NLMSG_HDRLEN + GENL_HDRLEN;

	if (h->nlmsg_type != GENL_ID_CTRL || h->nlmsg_len < start)
		fail("not a family");
	ATTRS((const char *)h + start, h->nlmsg_len - start,
	      if (type(a) == CTRL_ATTR_FAMILY_ID) return u16(a));
	fail("family without an ID");
}

uint64_t request_inline(uint64_t n)
{
	uint64_t sum = 0;

	while (n--) {
		uint32_t len;
		const struct nlmsghdr *h = (void *)buf;

		send_all(request, get_family(request, ++seq, names[0]));
		len = receive();
		if (len < NLMSG_HDRLEN || h->nlmsg_len > len || h->nlmsg_seq != seq || h->nlmsg_pid != port)
			fail("unexpected reply");
		sum += family_id(h);
	}
	return sum;
}

/* dump sends a dump request and adds up f of all messages. */
static inline uint64_t dump(uint32_t len, uint64_t (*f)(const struct nlmsghdr *))
{
	uint64_t sum = 0;

	send_all(request, len);
	while (!walk(buf, receive(), seq, f, &sum))
		;
	return sum;
}

static uint32_t get_routes(void)
{
	struct nlmsghdr *h = (void *)request;
	struct rtmsg *r = NLMSG_DATA(h);

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++seq;
	h->nlmsg_pid = 0;
	memset(r, 0, sizeof *r);
	r->rtm_family = AF_INET;
	return h->nlmsg_len = NLMSG_LENGTH(sizeof *r);
}

static inline uint64_t route_sum(const struct nlmsghdr *h)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	const uint32_t start = NLMSG_LENGTH(sizeof *r);
	uint32_t dst = 0, oif = 0, table = 0;

	if (h->nlmsg_len < start)
		fail("message too short");
	ATTRS(r + 1, h->nlmsg_len - start, switch (type(a)) {
		case RTA_DST: dst = u32(a); break;
		case RTA_OIF: oif = u32(a); break;
		case RTA_TABLE: table = u32(a); break;
	});
	return table == RT_TABLE_MAIN ? (uint64_t)dst + oif + r->rtm_dst_len : 0;
}

static uint64_t event_sum(const struct nlmsghdr *h) { return h->nlmsg_type + route_sum(h); }

uint64_t routes_inline(uint64_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += dump(get_routes(), route_sum);
	return sum;
}

uint64_t events_inline(uint64_t n)
{
	uint64_t sum = 0;

	for (int64_t left = n * EVENTS; left > 0;) {
		int count = receive_batch();
		for (int i = 0; i < count; i++)
			walk(iov[i].iov_base, batch[i].msg_len, 0, event_sum, &sum);
		left -= count;
	}
	return sum;
}

uint64_t batch_inline(uint64_t n)
{
	uint64_t sum = 0;

	while (n--) {
		uint32_t len = 0, number = seq + 1;
		for (int i = 0; i < BATCHED; i++)
			len += get_family(request + len, ++seq, names[i % 4]);
		send_all(request, len);
		for (int left = BATCHED; left > 0;) {
			int count = receive_batch();
			for (int i = 0; i < count; i++)
				walk(iov[i].iov_base, batch[i].msg_len, number++, family_id, &sum);
			left -= count;
		}
	}
	return sum;
}
