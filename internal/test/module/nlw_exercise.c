// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * NLW_EXERCISE, a Generic Netlink family for tests of nlwire: it uses features
 * that no family of the kernel combines. The package internal/test/exercise is
 * the same family in userspace; both must change together.
 *
 * The family has a user header of two u32. Replies contain that of the request.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>

#define HAS_UINT (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))
#define HAS_RESV_START_OP (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0))
#define HAS_MISSING (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0))

enum {
	EX_C_UNSPEC,
	EX_C_LEGACY,	  /* echo, liberal validation */
	EX_C_LOOSE,	  /* echo, liberal validation; dump: entries, no validation */
	EX_C_NOTHING,	  /* below resv_start_op and without a policy */
	EX_C_ECHO,	  /* echo; this and later commands have strict validation */
	EX_C_ADMIN,	  /* echo for CAP_NET_ADMIN of the first user namespace */
	EX_C_NS_ADMIN,	  /* echo for CAP_NET_ADMIN of the network namespace */
	EX_C_INTERRUPTED, /* dump whose entries change midway */
	EX_C_BROKEN,	  /* dump that fails midway */
	EX_C_REFUSED,	  /* dump that fails at its start */
	EX_C_LATE,	  /* echo, after the acknowledgement */
	EX_C_LARGE,	  /* a message larger than any buffer; dump: an entry that never fits */
	EX_C_NOTIFY,	  /* echo to the group and, with NLM_F_ECHO, to the requester */
	EX_C_FAIL,	  /* an extended acknowledgement with all its parts */
};

enum {
	EX_A_UNSPEC,
	EX_A_U8,
	EX_A_U16,
	EX_A_U32,
	EX_A_U64,
	EX_A_S8,
	EX_A_S16,
	EX_A_S32,
	EX_A_S64,
	EX_A_BE16,
	EX_A_BE32,
	EX_A_MSECS,
	EX_A_FLAG,
	EX_A_STRING,
	EX_A_NUL_STRING,
	EX_A_BINARY,
	EX_A_EXACT,
	EX_A_EXACT_WARN,
	EX_A_MIN_LEN,
	EX_A_RANGE_LEN,
	EX_A_BITFIELD,
	EX_A_REJECT,
	EX_A_SHORT, /* unspec with a length */
	EX_A_NEST,  /* recursive */
	EX_A_ARRAY,
	EX_A_STRICT_U32, /* this and later types have strict validation, also in old operations */
	EX_A_U8_MASK,
	EX_A_U32_MASK,
	EX_A_U64_MASK,
	EX_A_U64_RANGE,
	EX_A_S64_RANGE,
	EX_A_BE16_RANGE,
	EX_A_BE32_MASK,
	EX_A_MSECS_MAX,
	EX_A_EVEN,  /* check function on an integer */
	EX_A_UPPER, /* check function on bytes */
	EX_A_SINT,
	EX_A_UINT,
	EX_A_UINT_RANGE,
	EX_A_END
};
#define EX_A_MAX (EX_A_END - 1)

#define ENTRIES 300
#define HALFWAY 150
#define LARGE 50000
#define LATE_MS 20
#define HDRSIZE 8

static int ex_even(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (nla_get_u32(attr) & 1) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not an even number");
		return -EDOM;
	}
	return 0;
}

static int ex_upper(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const u8 *b = nla_data(attr);
	int i;

	for (i = 0; i < nla_len(attr); i++) {
		if (b[i] < 'A' || b[i] > 'Z') {
			NL_SET_ERR_MSG_ATTR(extack, attr, "not upper case");
			return -EINVAL;
		}
	}
	return 0;
}

static struct netlink_range_validation ex_u64_range = {
	.min = 10, .max = 1ULL << 40,
};

static struct netlink_range_validation_signed ex_s64_range = {
	.min = -(1LL << 40), .max = 1LL << 40,
};

static const struct nla_policy ex_inner[] = {
	[1] = { .type = NLA_U32, .validation_type = NLA_VALIDATE_MAX, .max = 1000 },
	[2] = { .type = NLA_NUL_STRING, .len = 8 },
};

static const struct nla_policy ex_policy[EX_A_MAX + 1] = {
	[EX_A_UNSPEC] = { .strict_start_type = EX_A_STRICT_U32 },
	[EX_A_U8] = { .type = NLA_U8, .validation_type = NLA_VALIDATE_RANGE, .min = 1, .max = 200 },
	[EX_A_U16] = { .type = NLA_U16, .validation_type = NLA_VALIDATE_MASK, .mask = 0x0fff },
	[EX_A_U32] = { .type = NLA_U32 },
	[EX_A_U64] = { .type = NLA_U64, .validation_type = NLA_VALIDATE_MIN, .min = 5 },
	[EX_A_S8] = { .type = NLA_S8, .validation_type = NLA_VALIDATE_RANGE, .min = -5, .max = 5 },
	[EX_A_S16] = { .type = NLA_S16, .validation_type = NLA_VALIDATE_MIN, .min = -100 },
	[EX_A_S32] = { .type = NLA_S32, .validation_type = NLA_VALIDATE_MAX, .max = 100 },
	[EX_A_S64] = { .type = NLA_S64 },
	[EX_A_BE16] = { .type = NLA_BE16 },
	[EX_A_BE32] = { .type = NLA_BE32 },
	[EX_A_MSECS] = { .type = NLA_MSECS },
	[EX_A_FLAG] = { .type = NLA_FLAG },
	[EX_A_STRING] = { .type = NLA_STRING, .len = 16 },
	[EX_A_NUL_STRING] = { .type = NLA_NUL_STRING, .len = 16 },
	[EX_A_BINARY] = { .type = NLA_BINARY, .len = 20 },
	[EX_A_EXACT] = { .type = NLA_BINARY, .validation_type = NLA_VALIDATE_RANGE, .min = 6, .max = 6 },
	[EX_A_EXACT_WARN] = { .type = NLA_BINARY, .validation_type = NLA_VALIDATE_RANGE_WARN_TOO_LONG, .min = 8, .max = 8 },
	[EX_A_MIN_LEN] = { .type = NLA_BINARY, .validation_type = NLA_VALIDATE_MIN, .min = 4 },
	[EX_A_RANGE_LEN] = { .type = NLA_BINARY, .validation_type = NLA_VALIDATE_RANGE, .min = 2, .max = 12 },
	[EX_A_BITFIELD] = { .type = NLA_BITFIELD32, .bitfield32_valid = 0xff },
	[EX_A_REJECT] = { .type = NLA_REJECT, .reject_message = "this attribute is not for requests" },
	[EX_A_SHORT] = { .type = NLA_UNSPEC, .len = 3 },
	[EX_A_NEST] = { .type = NLA_NESTED, .nested_policy = ex_policy, .len = EX_A_MAX },
	[EX_A_ARRAY] = { .type = NLA_NESTED_ARRAY, .nested_policy = ex_inner, .len = ARRAY_SIZE(ex_inner) - 1 },
	[EX_A_STRICT_U32] = { .type = NLA_U32 },
	[EX_A_U8_MASK] = { .type = NLA_U8, .validation_type = NLA_VALIDATE_MASK, .mask = 0x0f },
	[EX_A_U32_MASK] = { .type = NLA_U32, .validation_type = NLA_VALIDATE_MASK, .mask = 0xff00ff },
	[EX_A_U64_MASK] = { .type = NLA_U64, .validation_type = NLA_VALIDATE_MASK, .mask = 0xffffffff },
	[EX_A_U64_RANGE] = { .type = NLA_U64, .validation_type = NLA_VALIDATE_RANGE_PTR, .range = &ex_u64_range },
	[EX_A_S64_RANGE] = { .type = NLA_S64, .validation_type = NLA_VALIDATE_RANGE_PTR, .range_signed = &ex_s64_range },
	[EX_A_BE16_RANGE] = { .type = NLA_BE16, .validation_type = NLA_VALIDATE_RANGE, .min = 256, .max = 1024 },
	[EX_A_BE32_MASK] = { .type = NLA_BE32, .validation_type = NLA_VALIDATE_MASK, .mask = 0xff },
	[EX_A_MSECS_MAX] = { .type = NLA_MSECS, .validation_type = NLA_VALIDATE_MAX, .max = 10000 },
	[EX_A_EVEN] = { .type = NLA_U32, .validation_type = NLA_VALIDATE_FUNCTION, .validate = ex_even },
	[EX_A_UPPER] = { .type = NLA_BINARY, .validation_type = NLA_VALIDATE_FUNCTION, .validate = ex_upper },
#if HAS_UINT
	[EX_A_SINT] = { .type = NLA_SINT, .validation_type = NLA_VALIDATE_MIN, .min = -1000 },
	[EX_A_UINT] = { .type = NLA_UINT },
	[EX_A_UINT_RANGE] = { .type = NLA_UINT, .validation_type = NLA_VALIDATE_RANGE, .min = 1, .max = 500 },
#endif
};

static struct genl_family ex_family;

/* ex_put starts a message with the header of the request. */
static void *ex_put(struct sk_buff *skb, u32 portid, const struct nlmsghdr *request, int flags)
{
	const struct genlmsghdr *genl = nlmsg_data(request);
	void *hdr = genlmsg_put(skb, portid, request->nlmsg_seq, &ex_family, flags, genl->cmd);

	if (hdr)
		memcpy(hdr, (const void *)genl + GENL_HDRLEN, HDRSIZE);
	return hdr;
}

/* ex_put_attrs copies the attributes of the request in the order of their types. */
static int ex_put_attrs(struct sk_buff *skb, struct nlattr **attrs)
{
	int i;

	for (i = 1; attrs && i <= EX_A_MAX; i++) {
		const struct nlattr *a = attrs[i];

		if (a && nla_put(skb, a->nla_type, nla_len(a), nla_data(a)))
			return -EMSGSIZE;
	}
	return 0;
}

/* ex_message makes an echo of the request. */
static struct sk_buff *ex_message(struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(max_t(size_t, info->nlhdr->nlmsg_len, GENLMSG_DEFAULT_SIZE), GFP_KERNEL);
	void *hdr;

	if (!skb)
		return ERR_PTR(-ENOMEM);
	hdr = ex_put(skb, info->snd_portid, info->nlhdr, 0);
	if (!hdr || ex_put_attrs(skb, info->attrs)) {
		nlmsg_free(skb);
		return ERR_PTR(-EMSGSIZE);
	}
	genlmsg_end(skb, hdr);
	return skb;
}

static int ex_echo(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = ex_message(info);

	return IS_ERR(skb) ? PTR_ERR(skb) : genlmsg_reply(skb, info);
}

static int ex_nothing(struct sk_buff *request, struct genl_info *info)
{
	return 0;
}

static int ex_notify(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = ex_message(info);

	if (IS_ERR(skb))
		return PTR_ERR(skb);
	genl_notify(&ex_family, skb, info, 0, GFP_KERNEL);
	return 0;
}

/* ex_late is a reply that a work item sends later. */
struct ex_late {
	struct delayed_work work;
	struct net *net;
	struct sk_buff *skb;
	u32 portid;
};

static struct workqueue_struct *ex_queue;

static void ex_send_late(struct work_struct *work)
{
	struct ex_late *late = container_of(to_delayed_work(work), struct ex_late, work);

	genlmsg_unicast(late->net, late->skb, late->portid);
	put_net(late->net);
	kfree(late);
}

static int ex_reply_late(struct sk_buff *request, struct genl_info *info)
{
	struct ex_late *late = kzalloc(sizeof(*late), GFP_KERNEL);

	if (!late)
		return -ENOMEM;
	late->skb = ex_message(info);
	if (IS_ERR(late->skb)) {
		int err = PTR_ERR(late->skb);

		kfree(late);
		return err;
	}
	late->net = get_net(genl_info_net(info));
	late->portid = info->snd_portid;
	INIT_DELAYED_WORK(&late->work, ex_send_late);
	queue_delayed_work(ex_queue, &late->work, msecs_to_jiffies(LATE_MS));
	return 0;
}

/* ex_put_large appends 2 * LARGE bytes. */
static int ex_put_large(struct sk_buff *skb)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct nlattr *a = nla_reserve(skb, EX_A_BINARY, LARGE);

		if (!a)
			return -EMSGSIZE;
		memset(nla_data(a), 'x', LARGE);
	}
	return 0;
}

static int ex_large(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(2 * LARGE + 64, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = ex_put(skb, info->snd_portid, info->nlhdr, 0);
	if (!hdr || ex_put_large(skb)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int ex_large_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr = ex_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh, NLM_F_MULTI);

	if (hdr && !ex_put_large(skb)) {
		genlmsg_end(skb, hdr);
		return 0;
	}
	if (hdr)
		genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

/* ex_entry adds entry number cb->args[0], or returns -EMSGSIZE. */
static int ex_entry(struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr = ex_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh, NLM_F_MULTI);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, EX_A_U32, cb->args[0])) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genl_dump_check_consistent(cb, hdr);
	genlmsg_end(skb, hdr);
	return 0;
}

static int ex_entries(struct sk_buff *skb, struct netlink_callback *cb)
{
	for (; cb->args[0] < ENTRIES; cb->args[0]++)
		if (ex_entry(skb, cb))
			break;
	return skb->len;
}

static int ex_interrupted(struct sk_buff *skb, struct netlink_callback *cb)
{
	for (; cb->args[0] < ENTRIES; cb->args[0]++) {
		cb->seq = cb->args[0] < HALFWAY ? 1 : 2;
		if (ex_entry(skb, cb))
			break;
	}
	return skb->len;
}

static int ex_refused(struct netlink_callback *cb)
{
	NL_SET_ERR_MSG(cb->extack, "failed at the start");
	return -EBUSY;
}

static struct nlattr **ex_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

static int ex_broken(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *a = ex_dump_attrs(cb)[EX_A_U32];

	for (; cb->args[0] < HALFWAY; cb->args[0]++)
		if (ex_entry(skb, cb))
			return skb->len;
	NL_SET_ERR_MSG(cb->extack, "failed midway");
	if (a)
		NL_SET_BAD_ATTR(cb->extack, a);
	return -EIO;
}

/* ex_echo_dump lists one message, an echo of the request. */
static int ex_echo_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr;

	if (cb->args[0])
		return 0;
	hdr = ex_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh, NLM_F_MULTI);
	if (!hdr)
		return -EMSGSIZE;
	if (ex_put_attrs(skb, ex_dump_attrs(cb))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	cb->args[0] = 1;
	return skb->len;
}

/* ex_fail returns an errno (U32), a text, an attribute and a cookie as the request selects. */
static int ex_fail(struct sk_buff *request, struct genl_info *info)
{
	u32 err = EINVAL;

	if (info->attrs[EX_A_U32])
		err = nla_get_u32(info->attrs[EX_A_U32]) % 134;
	if (info->attrs[EX_A_FLAG])
		GENL_SET_ERR_MSG(info, "as requested");
	if (info->attrs[EX_A_BINARY])
		NL_SET_BAD_ATTR(info->extack, info->attrs[EX_A_BINARY]);
	if (info->attrs[EX_A_U64] && info->extack)
		nl_set_extack_cookie_u64(info->extack, nla_get_u64(info->attrs[EX_A_U64]));
#if HAS_MISSING
	if (!info->attrs[EX_A_S32])
		NL_SET_ERR_ATTR_MISS(info->extack, info->attrs[EX_A_NEST], EX_A_S32);
#endif
	return -(int)err;
}

#define EX_POLICY .policy = ex_policy, .maxattr = EX_A_MAX

static const struct genl_ops ex_ops[] = {
	{
		.cmd = EX_C_LEGACY, EX_POLICY, .doit = ex_echo, .dumpit = ex_echo_dump,
		.validate = GENL_DONT_VALIDATE_STRICT | GENL_DONT_VALIDATE_DUMP_STRICT,
	},
	{
		.cmd = EX_C_LOOSE, EX_POLICY, .doit = ex_echo, .dumpit = ex_entries,
		.validate = GENL_DONT_VALIDATE_STRICT | GENL_DONT_VALIDATE_DUMP,
	},
	{ .cmd = EX_C_NOTHING, .doit = ex_nothing },
	{ .cmd = EX_C_ECHO, EX_POLICY, .doit = ex_echo, .dumpit = ex_echo_dump },
	{ .cmd = EX_C_ADMIN, EX_POLICY, .flags = GENL_ADMIN_PERM, .doit = ex_echo },
	{ .cmd = EX_C_NS_ADMIN, EX_POLICY, .flags = GENL_UNS_ADMIN_PERM, .doit = ex_echo },
	{ .cmd = EX_C_INTERRUPTED, EX_POLICY, .dumpit = ex_interrupted },
	{ .cmd = EX_C_BROKEN, EX_POLICY, .dumpit = ex_broken },
	{ .cmd = EX_C_REFUSED, EX_POLICY, .start = ex_refused, .dumpit = ex_entries },
	{ .cmd = EX_C_LATE, EX_POLICY, .doit = ex_reply_late },
	{ .cmd = EX_C_LARGE, EX_POLICY, .doit = ex_large, .dumpit = ex_large_dump },
	{ .cmd = EX_C_NOTIFY, EX_POLICY, .doit = ex_notify },
	{ .cmd = EX_C_FAIL, EX_POLICY, .doit = ex_fail },
};

static const struct genl_multicast_group ex_groups[] = {
	{ .name = "first" },
	{ .name = "second" },
};

static struct genl_family ex_family = {
	.name = "NLW_EXERCISE",
	.version = 2,
	.hdrsize = HDRSIZE,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = ex_ops,
	.n_ops = ARRAY_SIZE(ex_ops),
#if HAS_RESV_START_OP
	.resv_start_op = EX_C_ECHO,
#endif
	.mcgrps = ex_groups,
	.n_mcgrps = ARRAY_SIZE(ex_groups),
};

static int __init ex_init(void)
{
	int err;

	ex_queue = alloc_workqueue("nlw_exercise", WQ_UNBOUND, 0);
	if (!ex_queue)
		return -ENOMEM;
	err = genl_register_family(&ex_family);
	if (err)
		destroy_workqueue(ex_queue);
	return err;
}

static void __exit ex_exit(void)
{
	genl_unregister_family(&ex_family);
	/* No more replies are queued; wait for the timers of the late ones. */
	msleep(2 * LATE_MS);
	destroy_workqueue(ex_queue);
}

module_init(ex_init);
module_exit(ex_exit);
MODULE_DESCRIPTION("NLW_EXERCISE, a Generic Netlink family for tests");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_ALIAS_GENL_FAMILY("NLW_EXERCISE");
