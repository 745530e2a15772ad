//! SRTP with keys from the session description (RFC 3711, RFC 4568): packets are encrypted and authenticated where they
//! lie, both ways. Off unless a session is told.
//!
//! ```text
//! RTP   header | payload encrypted | tag of 10 or 4 bytes             the tag also covers the rollover counter
//! RTCP  8 bytes | rest encrypted | E and index | tag of 10 bytes      (section 3.4)
//! ```
//!
//! The cipher is AES-128 in counter mode, the authentication HMAC-SHA1, the keys last for the call: no key has to be
//! derived anew (a derivation rate of 0), there is no MKI, and 2^48 packets are more than a call has. What fails to prove
//! itself, or has come before, is not heard. Nothing is allocated for a packet.

use std::fmt;

use aes::Aes128;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha1::Sha1;

use crate::rtp::{HEADER_BYTES, seq_distance};

/// Bytes of a master key and its salt, as they stand in base64 behind `inline:` (RFC 4568 section 6.1).
pub const KEYING_BYTES: usize = 30;

/// Bytes that protection adds to a packet at most.
pub const TAG_BYTES_MAX: usize = 10;

/// Bytes that protection adds to RTCP: an index and a tag, which is of this length in both suites (RFC 4568 section
/// 6.2.2).
pub const RTCP_BYTES_ADDED: usize = 4 + RTCP_TAG_BYTES;

const RTCP_TAG_BYTES: usize = 10;

/// Bytes of RTCP that stay in clear: the first header and who sends it.
const RTCP_CLEAR_BYTES: usize = 8;

/// Numbers behind the newest that are still told from repeated ones (section 3.3.2 wants 64).
const REPLAY_WINDOW: u64 = u128::BITS as u64;

/// Set in the index of RTCP that is encrypted.
const ENCRYPTED: u32 = 1 << 31;

type Cipher = ctr::Ctr128BE<Aes128>;
type Authenticator = Hmac<Sha1>;

/// How packets are protected, by its name in a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    Tag80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    Tag32,
}

impl Suite {
    /// The suite of this name (RFC 4568 section 6.2).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Tag80, Self::Tag32].into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    const fn tag_bytes(self) -> usize {
        match self {
            Self::Tag80 => 10,
            Self::Tag32 => 4,
        }
    }
}

/// A master key and its salt. Debug does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Keying([u8; KEYING_BYTES]);

impl Keying {
    /// From a description's bytes, the key first.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEYING_BYTES]) -> Self {
        Self(bytes)
    }

    /// A new one, for our own description.
    pub fn random(rng: &mut impl RngCore) -> Self {
        let mut bytes = [0; KEYING_BYTES];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes, for our own description.
    #[must_use]
    pub const fn expose(&self) -> &[u8; KEYING_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Keying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keying")
    }
}

/// What the two descriptions agreed to: each side protects what it sends by its own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The suite of both directions.
    pub suite: Suite,
    /// Of our own description: what we send.
    pub ours: Keying,
    /// Of the far end's description: what it sends.
    pub theirs: Keying,
}

/// Why a packet is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproved {
    /// It is too short, or its tag is wrong: it was not the far end that sent it as it came.
    Forged,
    /// It came before, or is so old that nobody knows.
    Repeated,
}

/// The protection of one leg, both ways.
pub(crate) struct Srtp {
    keys: Keys,
    sent: Outgoing,
    heard: Incoming,
}

struct Outgoing {
    rtp: Session,
    rtcp: Session,
    /// No index is used twice: the second packet of one would show the difference of the two.
    used: Seen,
    rtcp_index: u32,
}

struct Incoming {
    rtp: Session,
    rtcp: Session,
    ssrc: Option<u32>,
    seen: Seen,
    rtcp_ssrc: Option<u32>,
    rtcp_seen: Seen,
}

/// Session keys of one protocol (section 4.3).
struct Session {
    cipher_key: [u8; 16],
    salt: [u8; 16],
    /// Keyed once; a packet's tag begins with a copy.
    authenticator: Authenticator,
}

/// Which indexes have come; the newest is the lowest bit.
#[derive(Clone, Copy, Default)]
struct Seen {
    newest: Option<u64>,
    came: u128,
}

impl Srtp {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            sent: Outgoing {
                rtp: Session::derive(&keys.ours, RTP_LABELS),
                rtcp: Session::derive(&keys.ours, RTCP_LABELS),
                used: Seen::default(),
                rtcp_index: 0,
            },
            heard: Incoming {
                rtp: Session::derive(&keys.theirs, RTP_LABELS),
                rtcp: Session::derive(&keys.theirs, RTCP_LABELS),
                ssrc: None,
                seen: Seen::default(),
                rtcp_ssrc: None,
                rtcp_seen: Seen::default(),
            },
            keys,
        }
    }

    /// Other keys of the far end, and maybe of ours: counters begin anew where the key did (RFC 4568 section 6.1 has the
    /// rollover counter begin at 0 with every key).
    pub(crate) fn rekey(&mut self, keys: Keys) {
        let fresh = Self::new(keys);
        if fresh.keys.suite != self.keys.suite {
            *self = fresh;
            return;
        }
        if fresh.keys.ours != self.keys.ours {
            self.sent = fresh.sent;
        }
        if fresh.keys.theirs != self.keys.theirs {
            self.heard = fresh.heard;
        }
        self.keys = fresh.keys;
    }

    /// Protects an RTP packet that fills `length` bytes of the buffer, and gives how many it fills then; `None` when there
    /// is no room or the number was used before. `start` is where its payload begins.
    pub(crate) fn protect(&mut self, buffer: &mut [u8], start: usize, length: usize) -> Option<usize> {
        let tag_bytes = self.keys.suite.tag_bytes();
        let (packet, rest) = buffer.split_at_mut_checked(length)?;
        let (seq, ssrc) = seq_and_ssrc(packet)?;
        let tag_place = rest.get_mut(..tag_bytes)?;
        let index = self.sent.used.index_of(seq);
        if self.sent.used.is_repeated(index) {
            return None;
        }
        self.sent.used.note(index);
        self.sent.rtp.apply(ssrc, index, packet.get_mut(start..)?);
        let tag = self.sent.rtp.tag(packet, &rollovers(index));
        tag_place.copy_from_slice(&tag[..tag_bytes]);
        Some(length + tag_bytes)
    }

    /// Proves and decrypts an RTP packet where it lies; gives how long it is without its tag.
    pub(crate) fn unprotect(&mut self, bytes: &mut [u8]) -> Result<usize, Unproved> {
        let tag_bytes = self.keys.suite.tag_bytes();
        let length = bytes.len().checked_sub(tag_bytes).ok_or(Unproved::Forged)?;
        let (packet, tag) = bytes.split_at_mut(length);
        let (seq, ssrc) = seq_and_ssrc(packet).ok_or(Unproved::Forged)?;
        let start = crate::rtp::payload_start(packet[0], packet).ok_or(Unproved::Forged)?;
        let heard = &mut self.heard;
        // A new stream counts from 0; it is believed when it proves itself.
        let mut seen = if heard.ssrc == Some(ssrc) { heard.seen } else { Seen::default() };
        let index = seen.index_of(seq);
        if seen.is_repeated(index) {
            return Err(Unproved::Repeated);
        }
        heard.rtp.prove(packet, &rollovers(index), tag)?;
        heard.rtp.apply(ssrc, index, packet.get_mut(start..).unwrap_or_default());
        seen.note(index);
        (heard.ssrc, heard.seen) = (Some(ssrc), seen);
        Ok(length)
    }

    /// Protects an RTCP compound that fills `length` bytes of the buffer, and gives how many it fills then; `None` when
    /// there is no room.
    pub(crate) fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let (packet, rest) = buffer.split_at_mut_checked(length)?;
        let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        let (index_place, rest) = rest.split_first_chunk_mut::<4>()?;
        let tag_place = rest.get_mut(..RTCP_TAG_BYTES)?;
        let index = self.sent.rtcp_index;
        self.sent.rtcp_index = index.wrapping_add(1) & !ENCRYPTED;
        self.sent.rtcp.apply(ssrc, index.into(), packet.get_mut(RTCP_CLEAR_BYTES..)?);
        *index_place = (index | ENCRYPTED).to_be_bytes();
        let tag = self.sent.rtcp.tag(packet, index_place);
        tag_place.copy_from_slice(&tag[..RTCP_TAG_BYTES]);
        Some(length + RTCP_BYTES_ADDED)
    }

    /// Proves and decrypts an RTCP compound where it lies; gives how long it is without index and tag.
    pub(crate) fn unprotect_rtcp(&mut self, bytes: &mut [u8]) -> Result<usize, Unproved> {
        let length = bytes.len().checked_sub(RTCP_BYTES_ADDED).ok_or(Unproved::Forged)?;
        let (packet, rest) = bytes.split_at_mut(length);
        let (word, tag) = rest.split_first_chunk::<4>().ok_or(Unproved::Forged)?;
        let ssrc = packet.get(4..).and_then(|rest| rest.first_chunk()).ok_or(Unproved::Forged)?;
        let (ssrc, index) = (u32::from_be_bytes(*ssrc), u32::from_be_bytes(*word));
        let heard = &mut self.heard;
        let mut seen = if heard.rtcp_ssrc == Some(ssrc) { heard.rtcp_seen } else { Seen::default() };
        let number = u64::from(index & !ENCRYPTED);
        if seen.is_repeated(number) {
            return Err(Unproved::Repeated);
        }
        heard.rtcp.prove(packet, word, tag)?;
        if index & ENCRYPTED != 0 {
            heard.rtcp.apply(ssrc, number, packet.get_mut(RTCP_CLEAR_BYTES..).unwrap_or_default());
        }
        seen.note(number);
        (heard.rtcp_ssrc, heard.rtcp_seen) = (Some(ssrc), seen);
        Ok(length)
    }
}

impl Session {
    /// Section 4.3.1, with a derivation rate of 0.
    fn derive(keying: &Keying, labels: [u8; 3]) -> Self {
        let (key, salt) = keying.0.split_at(16);
        let derive = |label: u8, out: &mut [u8]| {
            let mut iv = [0; 16];
            iv[..14].copy_from_slice(salt);
            iv[7] ^= label;
            out.fill(0);
            let mut cipher = Cipher::new_from_slices(key, &iv).expect("16 bytes are a key and a block");
            cipher.apply_keystream(out);
        };
        let (mut cipher_key, mut mac_key, mut salt) = ([0; 16], [0; 20], [0; 16]);
        derive(labels[0], &mut cipher_key);
        derive(labels[1], &mut mac_key);
        derive(labels[2], &mut salt[..14]);
        let authenticator = Authenticator::new_from_slice(&mac_key).expect("HMAC takes keys of any length");
        Self { cipher_key, salt, authenticator }
    }

    /// Encrypts or decrypts (section 4.1.1).
    fn apply(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        let mut iv = self.salt;
        for (place, byte) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *place ^= byte;
        }
        for (place, byte) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *place ^= byte;
        }
        Cipher::new(&self.cipher_key.into(), &iv.into()).apply_keystream(bytes);
    }

    fn tag(&self, packet: &[u8], index: &[u8; 4]) -> [u8; 20] {
        self.authenticator.clone().chain_update(packet).chain_update(index).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    fn prove(&self, packet: &[u8], index: &[u8; 4], tag: &[u8]) -> Result<(), Unproved> {
        let told = self.authenticator.clone().chain_update(packet).chain_update(index);
        told.verify_truncated_left(tag).map_err(|_| Unproved::Forged)
    }
}

impl Seen {
    /// The index of a number: of the three rollovers that it may belong to, the nearest (section 3.3.1).
    fn index_of(&self, seq: u16) -> u64 {
        let Some(newest) = self.newest else { return seq.into() };
        let ahead = i64::from(seq_distance(seq, newest as u16));
        newest.checked_add_signed(ahead).unwrap_or_else(|| seq.into())
    }

    fn is_repeated(&self, index: u64) -> bool {
        let Some(newest) = self.newest else { return false };
        let behind = newest.saturating_sub(index);
        behind >= REPLAY_WINDOW || (index <= newest && self.came & (1 << behind) != 0)
    }

    fn note(&mut self, index: u64) {
        let newest = *self.newest.get_or_insert(index);
        if index > newest {
            let ahead = u32::try_from(index - newest).unwrap_or(u32::MAX);
            self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
            self.newest = Some(index);
        } else if let Some(bit) = 1_u128.checked_shl((newest - index) as u32) {
            self.came |= bit;
        }
    }
}

/// How often the numbers have wrapped, as the tag covers it.
fn rollovers(index: u64) -> [u8; 4] {
    // The counter has 32 bits.
    ((index >> 16) as u32).to_be_bytes()
}

fn seq_and_ssrc(packet: &[u8]) -> Option<(u16, u32)> {
    let header = packet.first_chunk::<HEADER_BYTES>()?;
    let seq = u16::from_be_bytes([header[2], header[3]]);
    Some((seq, u32::from_be_bytes([header[8], header[9], header[10], header[11]])))
}

/// Labels of the cipher's key, the authentication's key and the salt (section 4.3.2).
const RTP_LABELS: [u8; 3] = [0, 1, 2];
const RTCP_LABELS: [u8; 3] = [3, 4, 5];

/// Shows no key.
impl fmt::Debug for Srtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Srtp").field("suite", &self.keys.suite).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<char> = hexadecimal.chars().filter(char::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
    }

    /// The master key of RFC 3711 appendix B.3.
    fn rfc_keying() -> Keying {
        let all = bytes("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
        Keying::from_bytes(all.try_into().unwrap())
    }

    fn pair(suite: Suite) -> [Srtp; 2] {
        let mut rng = SmallRng::seed_from_u64(1);
        let [one, other] = [0, 0].map(|_| Keying::random(&mut rng));
        let keys =
            |ours: &Keying, theirs: &Keying| Keys { suite, ours: ours.clone(), theirs: theirs.clone() };
        [Srtp::new(keys(&one, &other)), Srtp::new(keys(&other, &one))]
    }

    fn rtp(seq: u16, ssrc: u32) -> Vec<u8> {
        let mut packet = vec![0; HEADER_BYTES];
        let header = crate::rtp::Header { marker: false, payload_type: 8, seq, timestamp: 160, ssrc };
        header.write(packet.first_chunk_mut().unwrap());
        packet.extend((0..160).map(|n| n as u8));
        packet
    }

    fn protected(srtp: &mut Srtp, plain: &[u8]) -> Vec<u8> {
        let mut packet = plain.to_vec();
        packet.resize(plain.len() + TAG_BYTES_MAX, 0);
        let length = srtp.protect(&mut packet, HEADER_BYTES, plain.len()).unwrap();
        packet.truncate(length);
        packet
    }

    fn heard(srtp: &mut Srtp, packet: &[u8]) -> Result<Vec<u8>, Unproved> {
        let mut packet = packet.to_vec();
        let length = srtp.unprotect(&mut packet)?;
        packet.truncate(length);
        Ok(packet)
    }

    #[test]
    fn keys_are_derived_as_in_appendix_b_3() {
        let session = Session::derive(&rfc_keying(), RTP_LABELS);
        assert_eq!(session.cipher_key.to_vec(), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(session.salt[..14].to_vec(), bytes("30CBBC08863D8C85D49DB34A9AE1"));
        let mac_key = bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
        let by_key =
            Authenticator::new_from_slice(&mac_key).unwrap().chain_update([7; 9]).chain_update([0; 4]);
        assert_eq!(session.tag(&[7; 9], &[0; 4]).to_vec(), by_key.finalize().into_bytes().to_vec());
    }

    #[test]
    fn the_key_stream_is_that_of_appendix_b_2() {
        let mut salt = [0; 16];
        salt[..14].copy_from_slice(&bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
        let cipher_key = bytes("2B7E151628AED2A6ABF7158809CF4F3C").try_into().unwrap();
        let authenticator = Authenticator::new_from_slice(&[]).unwrap();
        let session = Session { cipher_key, salt, authenticator };
        let mut stream = vec![0; 0xff02 * 16];
        session.apply(0, 0, &mut stream);
        let begin = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB \
                     41E95B3BB0A2E8DD477901E4FCA894C0";
        assert_eq!(stream[..48].to_vec(), bytes(begin));
        let end = "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE \
                   6A2CC3787889374FBEB4C81B17BA6C44";
        assert_eq!(stream[0xfeff * 16..][..48].to_vec(), bytes(end));
    }

    /// Packets that other implementations test themselves with: the keys of appendix B.3, numbers 0x1234 and 1.
    #[test]
    fn packets_are_those_of_other_implementations() {
        let keys = Keys { suite: Suite::Tag80, ours: rfc_keying(), theirs: rfc_keying() };
        let mut srtp = Srtp::new(keys);
        let plain = bytes("800f1234decafbadcafebabe abababababababababababababababab");
        let want = bytes("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
        assert_eq!(protected(&mut srtp, &plain), want);
        assert_eq!(heard(&mut srtp, &want), Ok(plain));

        let plain = bytes("81c8000bcafebabe abababababababababababababababab");
        let want = bytes("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
        let mut compound = plain.clone();
        compound.resize(plain.len() + RTCP_BYTES_ADDED, 0);
        srtp.sent.rtcp_index = 1;
        assert_eq!(srtp.protect_rtcp(&mut compound, plain.len()), Some(want.len()));
        assert_eq!(compound, want);
        let length = srtp.unprotect_rtcp(&mut compound).unwrap();
        assert_eq!(compound[..length], plain);
    }

    #[test]
    fn what_one_protects_the_other_hears_across_many_wraps() {
        for suite in [Suite::Tag80, Suite::Tag32] {
            let [mut one, mut other] = pair(suite);
            for n in 0..3_000_u32 {
                let plain = rtp((65_000_u32.wrapping_add(n * 97)) as u16, 5);
                let packet = protected(&mut one, &plain);
                assert_eq!(packet.len(), plain.len() + suite.tag_bytes());
                assert_ne!(packet[HEADER_BYTES..plain.len()], plain[HEADER_BYTES..]);
                assert_eq!(heard(&mut other, &packet), Ok(plain), "{n}");
            }
            assert!(other.heard.seen.newest.unwrap() >> 16 > 3);
        }
    }

    #[test]
    fn disorder_is_heard_across_a_wrap_and_nothing_is_heard_twice() {
        let [mut one, mut other] = pair(Suite::Tag80);
        let seqs: Vec<u16> = (65_500..=65_535).chain(0..100).collect();
        let packets: Vec<Vec<u8>> = seqs.iter().map(|seq| protected(&mut one, &rtp(*seq, 5))).collect();
        let mut order: Vec<usize> = (0..packets.len()).collect();
        order[1..].chunks_mut(7).for_each(<[usize]>::reverse);
        for n in &order {
            assert_eq!(heard(&mut other, &packets[*n]), Ok(rtp(seqs[*n], 5)), "{}", seqs[*n]);
        }
        for n in order {
            assert_eq!(heard(&mut other, &packets[n]), Err(Unproved::Repeated));
        }
    }

    #[test]
    fn what_was_changed_is_not_heard_and_changes_nothing() {
        let [mut one, mut other] = pair(Suite::Tag80);
        let packet = protected(&mut one, &rtp(7, 5));
        for at in 0..packet.len() {
            let mut changed = packet.clone();
            changed[at] ^= 0x10;
            assert_eq!(heard(&mut other, &changed), Err(Unproved::Forged), "byte {at}");
        }
        assert!(heard(&mut other, &packet).is_ok());
        // A stranger's number far ahead does not move the window.
        let mut changed = packet.clone();
        changed[2] = 0x70;
        assert_eq!(heard(&mut other, &changed), Err(Unproved::Forged));
        assert!(heard(&mut other, &protected(&mut one, &rtp(8, 5))).is_ok());
    }

    #[test]
    fn no_index_is_used_twice() {
        let [mut one, _] = pair(Suite::Tag80);
        protected(&mut one, &rtp(7, 5));
        let mut again = rtp(7, 5);
        again.resize(200, 0);
        assert_eq!(one.protect(&mut again, HEADER_BYTES, 172), None);
        assert_eq!(one.protect(&mut rtp(8, 5), HEADER_BYTES, 172), None, "there is no room for the tag");
    }

    #[test]
    fn reports_are_protected_and_heard_once() {
        let [mut one, mut other] = pair(Suite::Tag32);
        for n in 0..200_u8 {
            let mut compound = vec![0x80, 201, 0, 1, 0, 0, 0, n, 1, 2, 3, 4];
            let plain = compound.clone();
            compound.resize(100, 0);
            let length = one.protect_rtcp(&mut compound, plain.len()).unwrap();
            compound.truncate(length);
            let packet = compound.clone();
            let length = other.unprotect_rtcp(&mut compound).unwrap();
            assert_eq!(compound[..length], plain);
            assert_eq!(other.unprotect_rtcp(&mut packet.clone()), Err(Unproved::Repeated));
        }
    }

    #[test]
    fn other_keys_of_the_far_end_begin_a_new_count() {
        let [mut one, mut other] = pair(Suite::Tag80);
        for seq in [65_535, 0, 1] {
            heard(&mut other, &protected(&mut one, &rtp(seq, 5))).unwrap();
        }
        let fresh = Keying::random(&mut SmallRng::seed_from_u64(9));
        one.rekey(Keys { ours: fresh.clone(), ..one.keys.clone() });
        other.rekey(Keys { theirs: fresh, ..other.keys.clone() });
        assert_eq!(heard(&mut other, &protected(&mut one, &rtp(2, 5))), Ok(rtp(2, 5)));
    }

    #[test]
    fn nothing_shows_a_key() {
        let [one, _] = pair(Suite::Tag80);
        let shown = format!("{one:?} {:?}", one.keys);
        assert_eq!(shown, "Srtp { suite: Tag80, .. } Keys { suite: Tag80, ours: Keying, theirs: Keying }");
        assert_eq!(Suite::parse("aes_cm_128_hmac_sha1_32"), Some(Suite::Tag32));
        assert_eq!(Suite::parse("F8_128_HMAC_SHA1_80"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_refused_without_harm(packet in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
            let [mut one, _] = pair(Suite::Tag32);
            proptest::prop_assert!(one.unprotect(&mut packet.clone()).is_err());
            proptest::prop_assert!(one.unprotect_rtcp(&mut packet.clone()).is_err());
            let mut buffer = packet.clone();
            one.protect(&mut buffer, HEADER_BYTES, packet.len() / 2);
            one.protect_rtcp(&mut buffer, packet.len() / 2);
        }
    }
}
