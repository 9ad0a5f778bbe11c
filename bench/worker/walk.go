package main

import "github.com/nlwire/nlwire/bench/input"

// A walker returns the checksum of all attributes of a datagram.
type walker func(d []byte, in *input.Set) (uint64, error)

// walking returns a column that calls walk for every datagram of the input.
func walking(walk walker) column {
	return func(in *input.Set) (task, error) {
		return task{run: func(n int) (sum uint64, err error) {
			for range n {
				for _, d := range in.Datagrams {
					s, err := walk(d, in)
					if err != nil {
						return 0, err
					}
					sum += s
				}
			}
			return sum, nil
		}}, nil
	}
}

// missing returns a column that a library cannot have.
func missing(why string) column {
	return func(*input.Set) (task, error) { return task{}, absent(why) }
}

// touch is the work on each attribute. It adds the type, the length and the first four bytes of the
// payload.
func touch(typ uint16, payload []byte) uint64 {
	sum := uint64(typ) + uint64(len(payload))
	if len(payload) >= 4 {
		sum += uint64(ne.Uint32(payload))
	}
	return sum
}
