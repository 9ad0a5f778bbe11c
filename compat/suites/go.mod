// Runs the test suites of other modules, which it needs no import of.
module github.com/nlwire/nlwire/compat/suites

go 1.25.0
