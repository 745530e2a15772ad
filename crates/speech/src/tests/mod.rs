//! Stories of the room: what ships, what comes in, what stays.

mod espeak;
mod shelf;
mod shipped;
mod wav;
mod wording;
