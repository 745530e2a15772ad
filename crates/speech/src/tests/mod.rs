//! Stories of the room: what ships, what comes in, what stays.

mod espeak;
mod http;
mod install;
mod shelf;
mod shipped;
mod speech;
mod wav;
mod wording;
