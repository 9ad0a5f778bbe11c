package main

// A difference is a test whose result may differ, and why.
type difference struct {
	module, test string
	reason       string
}

// differences are the documented ones. Keep the list short: each entry is a promise that is
// not kept.
var differences = []difference{}

// isDocumented reports whether a difference is in the list.
func isDocumented(module, test string) bool {
	for _, d := range differences {
		if d.module == module && d.test == test {
			return true
		}
	}
	return false
}
