//! Why a call ends, in the words of SIP or of the telephone network: the Reason header (RFC 3326), owned.

use std::fmt;

use crate::message::{self, Message};

/// `Q.850;cause=17;text="User busy"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Whose numbers these are.
    pub protocol: Protocol,
    /// A SIP status, or a Q.850 cause from 1 to 127.
    pub cause: u16,
    /// Words for people.
    pub text: Option<String>,
}

/// The namespace of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A SIP status code.
    Sip,
    /// A cause of ITU-T Q.850, as the telephone network speaks it.
    Q850,
}

impl Reason {
    /// A SIP status as the reason.
    #[must_use]
    pub const fn sip(status: u16) -> Self {
        Self { protocol: Protocol::Sip, cause: status, text: None }
    }

    /// A Q.850 cause as the reason.
    #[must_use]
    pub const fn q850(cause: u8) -> Self {
        Self { protocol: Protocol::Q850, cause: cause as u16, text: None }
    }

    /// What a message says; of several reasons the telephone network's own, else the first.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Option<Self> {
        let (mut sip, mut q850) = (None, None);
        for told in message.reasons().take(REASONS_MAX) {
            let Some(cause) = told.cause else { continue };
            let reason = |protocol| Self { protocol, cause, text: told.text.map(words) };
            if told.q850().is_some() {
                q850.get_or_insert_with(|| reason(Protocol::Q850));
            } else if told.protocol.eq_ignore_ascii_case(b"SIP") {
                sip.get_or_insert_with(|| reason(Protocol::Sip));
            }
        }
        q850.or(sip)
    }

    /// The Q.850 cause, if it is one.
    #[must_use]
    pub fn q850_cause(&self) -> Option<u8> {
        u8::try_from(self.cause).ok().filter(|_| self.protocol == Protocol::Q850)
    }
}

fn words(text: &[u8]) -> String {
    message::text(text).chars().take(TEXT_MAX).collect()
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sip => "SIP",
            Self::Q850 => "Q.850",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};cause={}", self.protocol, self.cause)?;
        match &self.text {
            Some(text) => write!(f, ";text=\"{}\"", text.replace(['"', '\\', '\r', '\n'], " ")),
            None => Ok(()),
        }
    }
}

/// Reasons looked at in one message: one per protocol is what the RFC allows.
const REASONS_MAX: usize = 8;

/// Characters kept of a reason's words; they go to the journal, not to a novel.
const TEXT_MAX: usize = 128;
