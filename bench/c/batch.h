/* The rule batch and the filter of the case "encode". encode.c and mnl.c define the macros before
 * they include this file: START, OPEN, CLOSE, DONE; STRZ, PUT, BYTES; NEST, END. */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_vlan.h>

#define PUT_U8(type, value) PUT(type, u8, (uint8_t)(value))
#define PUT_U16(type, value) PUT(type, u16, (uint16_t)(value))
#define PUT_U32(type, value) PUT(type, u32, (uint32_t)(value))
#define PUT_BE16(type, value) PUT(type, u16, __builtin_bswap16(value))
#define PUT_BE32(type, value) PUT(type, u32, __builtin_bswap32(value))
#define PUT_BE64(type, value) PUT(type, u64, __builtin_bswap64(value))

/* PART opens an expression or an action and its data. END_PART closes both. */
#define PART(type, kind, name, content)                                       \
	{                                                                     \
		NEST(part, type);                                             \
		STRZ(kind, name);                                             \
		NEST(data, content)
#define END_PART                                                              \
		END(data);                                                    \
		END(part);                                                    \
	}
#define EXPR(name) PART(NFTA_LIST_ELEM, NFTA_EXPR_NAME, name, NFTA_EXPR_DATA)
#define ACT(order, name) PART(order, TCA_KIND, name, TCA_OPTIONS)
#define CMP(value, size)                                                      \
	EXPR("cmp");                                                          \
	PUT_BE32(NFTA_CMP_SREG, NFT_REG_1);                                   \
	PUT_BE32(NFTA_CMP_OP, NFT_CMP_EQ);                                    \
	NEST(cmp, NFTA_CMP_DATA);                                             \
	BYTES(NFTA_DATA_VALUE, value, size);                                  \
	END(cmp);                                                             \
	END_PART

enum { RULES = 1000 };

static __attribute__((noinline)) uint32_t encode_nft(uint32_t i)
{
	static const unsigned char mark[4] = { [3] = NFNL_SUBSYS_NFTABLES }, family[4] = { AF_INET };
	START;

	OPEN(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, i, mark);
	CLOSE;
	for (uint32_t rule = 0; rule < RULES; rule++) {
		const uint8_t tcp = IPPROTO_TCP, port[2] = { rule >> 8, rule };

		OPEN(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, LINK_FLAGS, i, family);
		STRZ(NFTA_RULE_TABLE, "filter");
		STRZ(NFTA_RULE_CHAIN, "input");
		NEST(list, NFTA_RULE_EXPRESSIONS);
		EXPR("meta");
		PUT_BE32(NFTA_META_KEY, NFT_META_L4PROTO);
		PUT_BE32(NFTA_META_DREG, NFT_REG_1);
		END_PART;
		CMP(&tcp, 1);
		EXPR("payload");
		PUT_BE32(NFTA_PAYLOAD_DREG, NFT_REG_1);
		PUT_BE32(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
		PUT_BE32(NFTA_PAYLOAD_OFFSET, 2);
		PUT_BE32(NFTA_PAYLOAD_LEN, 2);
		END_PART;
		CMP(port, 2);
		EXPR("counter");
		PUT_BE64(NFTA_COUNTER_BYTES, 0);
		PUT_BE64(NFTA_COUNTER_PACKETS, 0);
		END_PART;
		EXPR("immediate");
		PUT_BE32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
		NEST(value, NFTA_IMMEDIATE_DATA);
		NEST(verdict, NFTA_DATA_VERDICT);
		PUT_BE32(NFTA_VERDICT_CODE, 1);
		END(verdict);
		END(value);
		END_PART;
		END(list);
		CLOSE;
	}
	OPEN(NFNL_MSG_BATCH_END, NLM_F_REQUEST, i, mark);
	CLOSE;
	DONE;
}

static __attribute__((noinline)) uint32_t encode_tc(uint32_t i)
{
	static const struct tcmsg filter = { .tcm_ifindex = 2, .tcm_parent = TC_H_CLSACT };
	static const unsigned char zeros[28];
	START;

	OPEN(RTM_NEWTFILTER, LINK_FLAGS, i, filter);
	STRZ(TCA_KIND, "flower");
	NEST(options, TCA_OPTIONS);
	PUT_BE16(TCA_FLOWER_KEY_ETH_TYPE, 0x0800);
	PUT_U8(TCA_FLOWER_KEY_IP_PROTO, IPPROTO_TCP);
	PUT_BE32(TCA_FLOWER_KEY_IPV4_SRC, 10u << 24 | i);
	PUT_U32(TCA_FLOWER_KEY_IPV4_SRC_MASK, ~0u);
	PUT_BE16(TCA_FLOWER_KEY_TCP_DST, i);
	NEST(acts, TCA_FLOWER_ACT);
	ACT(1, "vlan");
	BYTES(TCA_VLAN_PARMS, zeros, 24);
	PUT_U16(TCA_VLAN_PUSH_VLAN_ID, i);
	PUT_BE16(TCA_VLAN_PUSH_VLAN_PROTOCOL, 0x88a8);
	END_PART;
	ACT(2, "mirred");
	BYTES(TCA_MIRRED_PARMS, zeros, 28);
	END_PART;
	ACT(3, "gact");
	BYTES(TCA_GACT_PARMS, zeros, 20);
	END_PART;
	END(acts);
	PUT_U32(TCA_FLOWER_FLAGS, 8);
	END(options);
	CLOSE;
	DONE;
}

static uint32_t (*encoder(void))(uint32_t i)
{
	switch (in.header_len) {
	case NFT: return encode_nft;
	case MIXED: return encode_mixed;
	case TC: return encode_tc;
	default: return encode_request;
	}
}
