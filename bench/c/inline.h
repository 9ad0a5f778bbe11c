/* What inline.c takes from encode.c and live.c. */
#ifndef INLINE_H
#define INLINE_H

#include <stdint.h>

void open_encode(void), open_copy(void), open_append(void);
uint64_t encode_inline(uint64_t n), check_inline(void);

void open_generic(void), open_threads(void), open_route(void), open_flood(void);
uint64_t resolve_inline(uint64_t n), resolve_floor(uint64_t n);
uint64_t families_inline(uint64_t n), families_floor(uint64_t n);
uint64_t routes_inline(uint64_t n), routes_floor(uint64_t n);
uint64_t flood_inline(uint64_t n), flood_floor(uint64_t n);
uint64_t pipeline_inline(uint64_t n), pipeline_floor(uint64_t n);

#endif
