//! Every parser that a stranger reaches. A new one is a function in one of the files below and a line in [`ALL`].

mod dialects;
mod media;
mod sip;
mod speech;

use crate::target::Target;

/// Each of them, once.
pub const ALL: &[Target] = &[
    sip::MESSAGE,
    sip::URI,
    sip::ROUTE,
    sip::SDP,
    sip::DIGEST,
    sip::STREAM,
    media::RTP,
    media::RTCP,
    media::DTMF,
    speech::WAV,
    dialects::ENTRY,
    dialects::X_AKSK,
    dialects::JSON,
    dialects::FORM,
    dialects::AWS4,
    dialects::TPL_PARAMS,
];

/// How many inputs are worth as much time as `runs` of a usual target.
#[must_use]
pub fn runs_worth(target: &Target, runs: u64) -> u64 {
    if target.name == speech::WAV.name { runs / 10 } else { runs }
}
