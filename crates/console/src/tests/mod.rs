//! Stories of the API, told to its router without a socket.

mod apps;
mod document;
mod frame;
mod history;
mod rules;
mod running;
mod stage;
