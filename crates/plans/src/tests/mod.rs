//! Stories of whole calls, told to a plan news by news; every story also keeps the rules of [`witness`].

mod any_news;
mod callback;
mod code;
mod menu;
mod notice;
mod script;
mod witness;
