//! Huawei Cloud VoiceCall (语音通话), as its API documents of 2024-11 describe it and its customers use it.

mod attributes;
mod auth;
mod codes;
mod fields;
mod orders;
pub mod session;
