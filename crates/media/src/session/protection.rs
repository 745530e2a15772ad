//! SRTP around a session: what comes is opened before it is received, what goes is sealed where it is made.

use std::ops::Range;

use super::Session;
use crate::rtp::HEADER_BYTES;
use crate::srtp::{Keys, Srtp, Unproved};

impl Session {
    /// Protects what is sent and wants what is heard protected, from now on. Called again with other keys, as a new
    /// description brings them, the direction whose key has changed begins anew. Allocates.
    pub fn protect(&mut self, keys: Keys) {
        match &mut self.srtp {
            Some(srtp) => srtp.rekey(keys),
            None => self.srtp = Some(Box::new(Srtp::new(keys))),
        }
    }

    /// Whether packets are protected.
    #[must_use]
    #[inline]
    pub const fn is_protected(&self) -> bool {
        self.srtp.is_some()
    }

    /// Proves and decrypts what came to the RTP socket, where it lies: to be called before [`Session::receive`], which
    /// gets as many bytes as this gives. A session without keys gives all of them. Allocates nothing.
    ///
    /// # Errors
    ///
    /// When the packet does not prove itself or has come before. It is counted; nothing else changes.
    #[inline]
    pub fn open(&mut self, bytes: &mut [u8]) -> Result<usize, Unproved> {
        let Some(srtp) = &mut self.srtp else { return Ok(bytes.len()) };
        let opened = srtp.unprotect(bytes);
        self.count_unproved(&opened);
        opened
    }

    /// The same for the RTCP socket and [`Session::receive_rtcp`].
    ///
    /// # Errors
    ///
    /// As [`Session::open`].
    pub fn open_rtcp(&mut self, bytes: &mut [u8]) -> Result<usize, Unproved> {
        let Some(srtp) = &mut self.srtp else { return Ok(bytes.len()) };
        let opened = srtp.unprotect_rtcp(bytes);
        self.count_unproved(&opened);
        opened
    }

    /// Seals a packet with a header of [`HEADER_BYTES`]; gives where it lies then.
    #[inline]
    pub(super) fn seal(&mut self, buffer: &mut [u8], packet: Range<usize>) -> Option<Range<usize>> {
        let Some(srtp) = &mut self.srtp else { return Some(packet) };
        let length = srtp.protect(buffer.get_mut(packet.start..)?, HEADER_BYTES, packet.len())?;
        Some(packet.start..packet.start + length)
    }

    pub(super) fn seal_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        match &mut self.srtp {
            Some(srtp) => srtp.protect_rtcp(buffer, length),
            None => Some(length),
        }
    }

    fn count_unproved(&mut self, opened: &Result<usize, Unproved>) {
        self.counts.unproved = self.counts.unproved.saturating_add(opened.is_err().into());
    }
}
