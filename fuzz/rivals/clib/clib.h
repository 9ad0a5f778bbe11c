// The functions called by Go: libmnl and libnl on plain bytes. Both are loaded at run time, so that
// this builds without them.
#include <stdint.h>

// piece is the position of a message or attribute in the input. outside is set in the last piece if
// the library accepted it although it extends past the input.
struct piece {
	uint32_t at, len;
	uint16_t type;
	uint16_t outside;
};

// value contains the results of the getters.
struct value {
	uint64_t u8, u16, u32, u64;
	uint32_t valid; // bit n: the payload is valid for the library's type n
	uint32_t text_len;
	char text[128];
};

// rule is libnl's struct nla_policy.
struct rule {
	uint16_t type, min, max;
};

struct family {
	uint32_t id, version, header, max_attr;
	char name[64];
};

// The functions for messages and attributes return the number of pieces. The build functions run a
// program of puts, with the steps below.
int mnl_messages(const uint8_t *b, int len, struct piece *out, int room);
int mnl_attributes(const uint8_t *b, int len, struct piece *out, int room);
void mnl_value(const uint8_t *attr, struct value *v);
int mnl_answer(const uint8_t *b, int len, int *error);
int mnl_build(const uint8_t *program, int len, uint8_t *out, int room);

int nl_messages(const uint8_t *b, int len, struct piece *out, int room);
int nl_attributes(const uint8_t *b, int len, struct piece *out, int room);
int nl_find(const uint8_t *b, int len, int type);
void nl_value(const uint8_t *attr, struct value *v);
int nl_parse_attributes(const uint8_t *b, int len, const struct rule *rules, int max, int32_t *table);
int nl_answer(const uint8_t *b, int len, int *error);
int nl_family(const uint8_t *message, struct family *f);
int nl_build(const uint8_t *program, int len, uint8_t *out, int room);

// These return the reason why a library cannot be loaded, or NULL.
const char *mnl_load(void);
const char *nl_load(void);

// The steps of a program of puts.
enum { PUT, PUT_U8, PUT_U16, PUT_U32, PUT_U64, PUT_STRZ, NEST, NEST_END, NEST_CANCEL };
