//go:build armbe || arm64be || m68k || mips || mips64 || mips64p32 || ppc || ppc64 || s390 || s390x || shbe || sparc || sparc64

package native

// BigEndian reports the byte order of the machine; encoding/binary has it
// only as a value, and a constant lets the compiler drop the other branch.
const BigEndian = true
