// Package nlenc encodes and decodes single values in host byte order. It is there for
// programs that use it; new ones take [encoding/binary.NativeEndian].
package nlenc
