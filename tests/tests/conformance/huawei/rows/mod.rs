//! The rows of the matrix, and further cases for the codes that no row reaches.

mod body;
mod door;
mod frail;
mod good;
mod headers;
mod login;
mod proof;
mod recording;
mod rules;
mod stop;

use crate::huawei::Case;

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    [
        good::cases(),
        headers::cases(),
        proof::cases(),
        door::cases(),
        body::cases(),
        rules::cases(),
        frail::cases(),
        stop::cases(),
        recording::cases(),
        login::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
