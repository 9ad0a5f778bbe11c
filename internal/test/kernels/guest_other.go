//go:build !linux

package main

func runGuest() {}
