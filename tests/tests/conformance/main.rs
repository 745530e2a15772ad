//! The conformance matrices of the vendors: every row over HTTP against the real binary, and every code by its real cause.
//!
//! A vendor's folder says what is asked and what must come of it, and [`table`] plays everything and prints
//! `row, request, expected, got`, also into files beside the binary's folder. What a row needs is set by an operator over
//! his own interface, by calls that really run, or by breaking what can break.

mod case;
mod house;
mod huawei;
mod ksyun;
mod table;
