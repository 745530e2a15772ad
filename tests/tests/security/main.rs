//! What somebody who means harm can try from outside: with a key of his own, with a request that he overheard, or with
//! nothing at all.

mod fields;
mod intruder;
mod leaks;
mod replays;
mod tenants;
mod world;
