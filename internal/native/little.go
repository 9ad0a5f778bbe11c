//go:build !(armbe || arm64be || m68k || mips || mips64 || mips64p32 || ppc || ppc64 || s390 || s390x || shbe || sparc || sparc64)

package native

// BigEndian reports the byte order of the machine. encoding/binary provides it only as a value; with
// a constant the compiler drops the unused branch.
const BigEndian = false
