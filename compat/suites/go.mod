// A command that runs the test suites of other modules. Not released.
module github.com/nlwire/nlwire/compat/suites

go 1.25.0
