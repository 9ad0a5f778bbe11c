package ynl

import (
	"strconv"
	"strings"
)

// limit reads a limit: a number, a constant, one less than a constant ("x - 1"), or the end of the
// range of a type ("u32-max"). A constant of scope kernel is not a limit, because its number in
// the spec is a placeholder.
func (b *builder) limit(o object, key string) *int64 {
	text := o.text(key)
	name, minus := strings.CutSuffix(text, " - 1")
	if v, ok := typeLimits[name]; ok {
		return &v
	}
	if c := b.spec.Const(name); c != nil {
		if c.Kernel || c.Text != "" {
			return nil
		}
		v := c.Value
		if minus {
			v--
		}
		return &v
	}
	if v, err := strconv.ParseUint(text, 0, 64); err == nil {
		n := int64(v)
		return &n
	}
	v, ok := o.integer(key)
	if !ok {
		return nil
	}
	return &v
}

// typeLimits are the ranges of types.
var typeLimits = map[string]int64{
	"u8-min": 0, "u16-min": 0, "u32-min": 0, "u64-min": 0,
	"u8-max": 1<<8 - 1, "u16-max": 1<<16 - 1, "u32-max": 1<<32 - 1, "u64-max": -1,
	"s8-min": -1 << 7, "s16-min": -1 << 15, "s32-min": -1 << 31, "s64-min": -1 << 63,
	"s8-max": 1<<7 - 1, "s16-max": 1<<15 - 1, "s32-max": 1<<31 - 1, "s64-max": 1<<63 - 1,
}

// checks reads limits, which override those of a parent.
func (b *builder) checks(o object, base *Checks) *Checks {
	c := &Checks{}
	if base != nil {
		*c = *base
	}
	for key, at := range map[string]**int64{"min": &c.Min, "max": &c.Max, "min-len": &c.MinLen, "max-len": &c.MaxLen, "exact-len": &c.ExactLen} {
		if o.has(key) {
			*at = b.limit(o, key)
		}
	}
	if o.has("flags-mask") {
		c.Mask = lookup(b, b.spec.names.enums, o.pos("flags-mask"), "flags", o.text("flags-mask"))
	}
	c.UnterminatedOK = o.boolean("unterminated-ok")
	return c
}
