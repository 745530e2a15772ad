//! The tools of the end-to-end tests: the binary under test, telephones, receivers, ears.
