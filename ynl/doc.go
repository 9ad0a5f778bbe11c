// Package ynl reads the kernel's netlink specs.
package ynl
