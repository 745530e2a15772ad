//! What far ends do inside calls, item by item: each row of the tables is a scenario of sipp, what must go over the wire,
//! and what must be true of the call. All rows of a table run at once, each by a trunk of its own.

mod keys;
mod rows;
mod table;

#[test]
fn whatever_a_far_end_does_in_a_call_has_its_answer() {
    table::holds(rows::rows());
}

#[test]
fn a_key_is_one_key_however_it_is_told() {
    table::holds(keys::rows());
}
