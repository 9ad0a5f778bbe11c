// An assembly file, empty: with it the compiler accepts functions without a body.
