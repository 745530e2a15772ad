//! The nouns of the house.

pub mod time;
