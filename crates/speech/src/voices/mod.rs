//! The engines that speak.

pub mod espeak;
