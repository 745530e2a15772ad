//! The rows of the matrix, and further cases that belong to them.

mod body;
mod door;
mod frail;
mod good;
mod header;
mod parameter;
mod rules;
mod template;

use super::Case;

/// Every case but the frail ones.
pub(super) fn all() -> Vec<Case> {
    [
        good::cases(),
        parameter::cases(),
        header::cases(),
        door::cases(),
        body::cases(),
        template::cases(),
        rules::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The cases in which things break. They are the last ones of their house: what broke at the end stays broken.
pub(super) fn frail() -> Vec<Case> {
    frail::cases()
}
