//! Huihu, the binary: the only room that knows all the others.

mod cli;
mod config;

fn main() {}
