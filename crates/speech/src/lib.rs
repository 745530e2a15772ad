//! Clips: what a leg can be made to hear, as 8 kHz A-law.
//!
//! *Takes* WAV files from strangers and gives A-law bytes with a verdict on their loudness; keeps them on disk by
//! content; ships the platform's own voices and tones inside the binary. *Takes* texts and gives them spoken, by the
//! first of several engines that can.
//!
//! It never runs on a media thread and never joins a path from a name that somebody sent. Importing and keeping clips
//! blocks: call it from a thread that may. Speaking is for tokio and does not.
//!
//! Read [`system`] first (what ships), then [`wav`] (what comes in), [`shelf`] (where it stays), and [`speech`] (what is
//! said): [`text`] becomes [`wording`], which a [`voice`] speaks.

pub mod cache;
pub mod loudness;
pub mod name;
pub mod sample;
pub mod settings;
pub mod shelf;
pub mod speech;
pub mod system;
pub mod text;
pub mod voice;
pub mod voices;
pub mod wav;
pub mod wording;

mod breaker;
mod client;
mod decode;
mod polish;
mod resample;
mod riff;
mod shipped;

#[cfg(test)]
mod tests;
