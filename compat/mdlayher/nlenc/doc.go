// Package nlenc encodes and decodes single values in host byte order. It exists for programs that
// already use it. Use [encoding/binary.NativeEndian] in new programs.
package nlenc
