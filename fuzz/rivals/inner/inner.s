// This empty assembly file makes the compiler accept functions without a body.
