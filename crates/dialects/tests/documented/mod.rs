//! The answers that the vendors' documents have.

pub(crate) mod huawei;
pub(crate) mod ksyun;
