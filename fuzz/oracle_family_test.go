package fuzz

// slowFamily is the content of a message of the controller.
type slowFamily struct {
	name    string
	numbers map[int]uint64 // by type: the ID, the version, the header size, the highest attribute
	ops     [][2]uint64    // number, flags
	groups  []slowGroup
}

type slowGroup struct {
	id   uint64
	name string
}

// slowReader stops at the first malformed byte.
type slowReader struct {
	b     bytesAt
	wrong bool
}

// each calls f for every attribute between two offsets.
func (r *slowReader) each(at, end int, f func(typ, at, end int)) {
	for at < end && !r.wrong {
		if end-at < 4 {
			r.wrong = true
			return
		}
		length := int(r.b.number(at, 2))
		if length < 4 || length > end-at {
			r.wrong = true
			return
		}
		f(int(r.b.number(at+2, 2))%0x4000, at+4, at+length)
		at += (length + 3) / 4 * 4
	}
}

// number reads a number of exactly n bytes.
func (r *slowReader) number(at, end, n int) uint64 {
	if end-at != n {
		r.wrong = true
		return 0
	}
	return r.b.number(at, n)
}

// text reads up to a NUL, which must be present.
func (r *slowReader) text(at, end int) string {
	for i := at; i < end; i++ {
		if r.b[i] == 0 {
			return string(r.b[at:i])
		}
	}
	r.wrong = true
	return ""
}

// parseFamily reads a family, as written by ctrl_fill_info and ctrl_fill_mcgrp_info, if the
// message is one of the given commands. It returns nil for other messages.
func parseFamily(m bytesAt, commands ...uint64) *slowFamily {
	if len(m) < 20 || m.number(4, 2) != 16 || !contains(commands, uint64(m[16])) {
		return nil
	}
	r := &slowReader{b: m}
	f := &slowFamily{numbers: map[int]uint64{}}
	sizes := map[int]int{1: 2, 3: 4, 4: 4, 5: 4}
	r.each(20, len(m), func(typ, at, end int) {
		switch typ {
		case 1, 3, 4, 5:
			f.numbers[typ] = r.number(at, end, sizes[typ])
		case 2:
			f.name = r.text(at, end)
		case 6:
			f.ops = nil
			r.each(at, end, func(_, at, end int) { f.ops = append(f.ops, r.operation(at, end)) })
		case 7:
			f.groups = nil
			r.each(at, end, func(_, at, end int) { f.groups = append(f.groups, r.group(at, end)) })
		}
	})
	if r.wrong || f.name == "" || f.numbers[1] == 0 || f.numbers[4] > 4096 {
		return nil
	}
	return f
}

func (r *slowReader) operation(at, end int) (op [2]uint64) {
	r.each(at, end, func(typ, at, end int) {
		if typ == 1 || typ == 2 {
			op[typ-1] = r.number(at, end, 4)
		}
	})
	return op
}

func (r *slowReader) group(at, end int) (g slowGroup) {
	r.each(at, end, func(typ, at, end int) {
		switch typ {
		case 1:
			g.name = r.text(at, end)
		case 2:
			g.id = r.number(at, end, 4)
		}
	})
	return g
}

func contains(list []uint64, v uint64) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
