//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

func appendString(b []byte, typ uint16, s string, zeros int) []byte {
	return appendLong(b, typ, s, zeros)
}

func appendBytes(b []byte, typ uint16, p []byte) []byte { return appendLong(b, typ, p, 0) }
