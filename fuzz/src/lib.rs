//! Whatever a stranger may send, changed at random, against every parser that reads it.
//!
//! ```text
//! corpus/<target>/ ─▶ pool ─ change ─▶ bytes ─▶ target ─▶ what it saw: something new? then back into the pool
//!                                                  └─ panics: the input is made smaller and told
//! ```
//!
//! *Takes* a [`Target`](target::Target), a seed and a budget; *gives* a [`Report`](drive::Report). A target asserts more
//! than that nothing panics: what is printed is read again, limits hold, nobody proves himself by chance.
//!
//! There is no instrumentation: a target tells with a number what it saw, and inputs that bring a new number are kept.
//! So all of it runs with the stable compiler, in the tests for a moment and by `make fuzz` for as long as you like. Read
//! [`drive`] first, then [`targets`].

pub mod change;
pub mod drive;
pub mod target;
pub mod targets;
