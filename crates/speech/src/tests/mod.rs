//! Stories of the room: what ships, what comes in, what stays.

mod shelf;
mod shipped;
mod wav;
