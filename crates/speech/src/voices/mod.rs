//! The engines that speak.

pub mod espeak;
pub mod http;
pub mod kokoro;
