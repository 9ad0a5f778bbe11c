// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * DOC_EXMPL, the Generic Netlink family of the how-to, for tests of nlwire.
 *
 * ECHO as a do sends the text of the request to the group doc_events and then
 * to the requester. ECHO as a dump lists DUMP_LEN texts. The package
 * bus/docexmpl is the same family in userspace.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#define DUMP_LEN 200

enum { DOC_EXMPL_A_UNSPEC, DOC_EXMPL_A_MSG, DOC_EXMPL_A_END };
#define DOC_EXMPL_A_MAX (DOC_EXMPL_A_END - 1)

enum { DOC_EXMPL_C_UNSPEC, DOC_EXMPL_C_ECHO };

static const struct nla_policy doc_policy[DOC_EXMPL_A_MAX + 1] = {
	[DOC_EXMPL_A_MSG] = { .type = NLA_NUL_STRING, .len = 256 },
};

static struct genl_family doc_family;

/* doc_message makes an ECHO message with a text, or returns NULL. */
static struct sk_buff *doc_message(u32 portid, u32 seq, const char *text)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, portid, seq, &doc_family, 0, DOC_EXMPL_C_ECHO);
	if (!hdr || nla_put_string(skb, DOC_EXMPL_A_MSG, text)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

static int doc_echo(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb;
	const char *text;

	if (!info->attrs[DOC_EXMPL_A_MSG]) {
		GENL_SET_ERR_MSG(info, "DOC_EXMPL_A_MSG is required");
		return -EINVAL;
	}
	text = nla_data(info->attrs[DOC_EXMPL_A_MSG]);
	skb = doc_message(0, 0, text);
	if (!skb)
		return -ENOMEM;
	/* No members, or members that lost the event, are not an error of the request. */
	genlmsg_multicast_netns(&doc_family, genl_info_net(info), skb, 0, 0, GFP_KERNEL);
	skb = doc_message(info->snd_portid, info->snd_seq, text);
	if (!skb)
		return -ENOMEM;
	return genlmsg_reply(skb, info);
}

static int doc_list(struct sk_buff *skb, struct netlink_callback *cb)
{
	char text[32];
	void *hdr;

	for (; cb->args[0] < DUMP_LEN; cb->args[0]++) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &doc_family, NLM_F_MULTI, DOC_EXMPL_C_ECHO);
		if (!hdr)
			break;
		snprintf(text, sizeof(text), "dump entry number %ld", cb->args[0]);
		if (nla_put_string(skb, DOC_EXMPL_A_MSG, text)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

static const struct genl_ops doc_ops[] = {
	{
		.cmd = DOC_EXMPL_C_ECHO,
		.policy = doc_policy,
		.maxattr = DOC_EXMPL_A_MAX,
		.doit = doc_echo,
		.dumpit = doc_list,
	},
};

static const struct genl_multicast_group doc_groups[] = {
	{ .name = "doc_events" },
};

static struct genl_family doc_family = {
	.name = "DOC_EXMPL",
	.version = 1,
	.maxattr = DOC_EXMPL_A_MAX,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = doc_ops,
	.n_ops = ARRAY_SIZE(doc_ops),
	.mcgrps = doc_groups,
	.n_mcgrps = ARRAY_SIZE(doc_groups),
};

static int __init doc_init(void)
{
	return genl_register_family(&doc_family);
}

static void __exit doc_exit(void)
{
	genl_unregister_family(&doc_family);
}

module_init(doc_init);
module_exit(doc_exit);
MODULE_DESCRIPTION("DOC_EXMPL, an example of a Generic Netlink family");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_ALIAS_GENL_FAMILY("DOC_EXMPL");
