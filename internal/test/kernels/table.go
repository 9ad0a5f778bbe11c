package main

func writeTable(string, []*report) error { return nil }
