//! Stories on virtual time: calls against far ends that the story speaks for, and calls between two endpoints of ours.

mod callee;
mod caller;
mod calls;
mod chaos;
mod crossings;
mod far;
mod registration;
mod release;
mod session;
mod strangers;
mod timers;
mod transports;
mod world;
