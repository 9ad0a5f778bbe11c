package main

// A difference is a test with a permitted difference in its result, and the reason.
type difference struct {
	module, test string
	reason       string
}

// differences lists the documented differences. Keep it short: each entry is an exception from
// compatibility.
var differences = []difference{}

// documented returns the reason of a listed difference, or "" if it is not listed.
func documented(module, test string) string {
	for _, d := range differences {
		if d.module == module && d.test == test {
			return d.reason
		}
	}
	return ""
}
