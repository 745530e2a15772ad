//! Stories of the API, told to its router without a socket.

mod apps;
mod frame;
mod rules;
mod stage;
