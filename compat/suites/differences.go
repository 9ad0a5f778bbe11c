package main

// A difference is a test whose result may differ, and why.
type difference struct {
	module, test string
	reason       string
}

// differences are the documented ones. Keep the list short: each entry is a promise that is
// not kept.
var differences = []difference{}

// documented returns the reason of a difference that is in the list, and otherwise "".
func documented(module, test string) string {
	for _, d := range differences {
		if d.module == module && d.test == test {
			return d.reason
		}
	}
	return ""
}
