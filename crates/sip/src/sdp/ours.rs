//! What we describe ourselves, as offer and as answer.

use std::fmt;
use std::net::SocketAddr;

use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};
use smallvec::SmallVec;

use super::read::{PLAIN_RTP, SECURE_RTP, audio_line, describe, session};
use super::{Agreed, AudioDescription, Codec, Crypto, Direction, Events, Fault, KEYING_BYTES, PTIME_MILLIS};

/// Our end of one leg's audio: where it is, what it speaks, and what it has said so far.
///
/// One per leg, also when the leg's offer is answered by several branches.
#[derive(Clone)]
pub struct OurSide {
    address: SocketAddr,
    codecs: SmallVec<[Codec; 4]>,
    id: u64,
    version: u64,
    /// The direction that we said last: what an answer to our offer is measured by.
    wish: Direction,
    said: Vec<u8>,
    /// What we protect our packets by, over SRTP.
    crypto: Option<Crypto>,
}

impl fmt::Debug for OurSide {
    /// Without what was said: there may be a key in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OurSide")
            .field("address", &self.address)
            .field("codecs", &self.codecs)
            .finish_non_exhaustive()
    }
}

impl OurSide {
    /// An end at `address`, which is the one that the other side has to use for RTP (RTCP is the next port).
    /// `codecs` is what we speak, best first; `id` is any number that is ours alone, such as a random one.
    #[must_use]
    pub fn new(address: SocketAddr, codecs: &[Codec], id: u64) -> Self {
        // Larger numbers are legal and break some readers, which keep them in 63 bits.
        const READABLE: u64 = u64::MAX >> 1;
        let codecs = SmallVec::from_slice(codecs);
        let (id, wish) = (id & READABLE, Direction::SendRecv);
        Self { address, codecs, id, version: 1, wish, said: Vec::new(), crypto: None }
    }

    /// Speaks SRTP only, and protects what it sends by this master key and salt, which nobody else may have.
    #[must_use]
    pub const fn protected_by(mut self, keying: [u8; KEYING_BYTES]) -> Self {
        self.crypto = Some(Crypto { tag: 1, keying });
        self
    }

    /// What we protect our packets by.
    #[must_use]
    pub const fn crypto(&self) -> Option<&Crypto> {
        self.crypto.as_ref()
    }

    const fn transport(&self) -> &'static str {
        if self.crypto.is_some() { SECURE_RTP } else { PLAIN_RTP }
    }

    /// An offer: every codec of ours, and telephone-events for each clock of theirs. The same offer
    /// twice is the same body; a changed one has the next version (RFC 3264 8).
    pub fn offer(&mut self, direction: Direction) -> Vec<u8> {
        self.wish = direction;
        let codecs = self.codecs.iter().map(|&codec| (codec, codec.payload())).collect();
        let mut events = SmallVec::new();
        for codec in &self.codecs {
            if !events.contains(&codec.events()) {
                events.push(codec.events());
            }
        }
        self.say(&[Line::Ours { codecs, events, direction, crypto: self.crypto }])
    }

    /// What we said last, for a refresh that must change nothing. Empty before the first offer or answer.
    #[must_use]
    pub fn said(&self) -> &[u8] {
        &self.said
    }

    /// Reads the answer to our last offer. It may be asked for each branch of a forked call, and again.
    ///
    /// # Errors
    /// Why there can be no audio with this side.
    pub fn accept(&self, answer: &[u8]) -> Result<Agreed, Fault> {
        let agreed = AudioDescription::read_over(self.transport(), answer)?.agree(&self.codecs, self.wish)?;
        // We hear under the numbers of our offer, whatever theirs are.
        let codec = agreed.codec;
        Ok(Agreed { payload_heard: codec.payload(), events_heard: Some(codec.events().number), ..agreed })
    }

    /// Answers an offer: the first codec of theirs that is ours too, their telephone-events, every other media
    /// declined. `direction` is our wish; what they allow of it is said.
    ///
    /// # Errors
    /// Why there can be no audio; the offer is then refused with [`Fault::status`] and what was agreed before stays.
    pub fn answer(&mut self, offer: &[u8], direction: Direction) -> Result<(Vec<u8>, Agreed), Fault> {
        let offer = session(offer)?;
        let audio = audio_line(&offer, self.transport())?;
        let theirs = describe(&offer, &offer.medias[audio])?;
        let agreed = theirs.agree(&self.codecs, direction)?;
        // Hold by 0.0.0.0 is not said back: both sides know it from the address alone.
        let said = direction.meets(theirs.direction);
        // Our key for theirs, under their tag (RFC 4568 5.1.2).
        let crypto = self.crypto.zip(theirs.crypto).map(|(ours, theirs)| Crypto { tag: theirs.tag, ..ours });
        let lines: SmallVec<[Line<'_>; 2]> = offer
            .medias
            .iter()
            .enumerate()
            .map(|(at, media)| {
                if at != audio {
                    return Line::Declined(media);
                }
                let codecs = [(agreed.codec, agreed.payload)].into_iter().collect();
                let events = agreed.events.map(|number| Events { number, ..agreed.codec.events() });
                Line::Ours { codecs, events: events.into_iter().collect(), direction: said, crypto }
            })
            .collect();
        self.wish = direction;
        Ok((self.say(&lines), agreed))
    }

    /// Prints a description, with the next version if it differs from the last one.
    fn say(&mut self, lines: &[Line<'_>]) -> Vec<u8> {
        let same = self.print(lines);
        if self.said.is_empty() || self.said == same {
            self.said.clone_from(&same);
            return same;
        }
        self.version += 1;
        self.said = self.print(lines);
        self.said.clone()
    }

    fn print(&self, lines: &[Line<'_>]) -> Vec<u8> {
        let ip = self.address.ip();
        let mut session = Session::new(Origin::with_ip_addr(self.id, self.version, ip), "-");
        session.set_connection(Connection::from_ip_addr(ip));
        session.add_time(Time::new(0, 0));
        session.add_medias(lines.iter().map(|line| line.media(self.address.port())));
        let mut body = Vec::with_capacity(USUAL_BYTES);
        session.write(&mut body).expect("writing into a Vec does not fail");
        body
    }
}

/// One media line of ours.
enum Line<'a> {
    Ours {
        codecs: SmallVec<[(Codec, u8); 4]>,
        events: SmallVec<[Events; 2]>,
        direction: Direction,
        crypto: Option<Crypto>,
    },
    Declined(&'a Media),
}

impl Line<'_> {
    fn media(&self, port: u16) -> Media {
        match self {
            Self::Ours { codecs, events, direction, crypto } => {
                let mut media = audio(port, codecs, events, *direction);
                if let Some(crypto) = crypto {
                    SECURE_RTP.clone_into(&mut media.proto);
                    media.add_attribute_with_value("crypto", crypto.print());
                }
                media
            }
            Self::Declined(theirs) => bare(&theirs.media, 0, &theirs.proto, theirs.fmt.clone()),
        }
    }
}

fn audio(port: u16, codecs: &[(Codec, u8)], events: &[Events], direction: Direction) -> Media {
    let numbers = codecs.iter().map(|(_, number)| *number).chain(events.iter().map(|events| events.number));
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    let mut media = bare("audio", port, PLAIN_RTP, numbers.join(" "));
    for (codec, number) in codecs {
        media.add_attribute_with_value(
            "rtpmap",
            format_args!("{number} {}/{}", codec.as_str(), codec.clock()),
        );
        if let Some(parameters) = codec.parameters() {
            media.add_attribute_with_value("fmtp", format_args!("{number} {parameters}"));
        }
    }
    for Events { number, clock, .. } in events {
        media.add_attribute_with_value("rtpmap", format_args!("{number} telephone-event/{clock}"));
        media.add_attribute_with_value("fmtp", format_args!("{number} 0-15"));
    }
    media.add_attribute_with_value("ptime", PTIME_MILLIS);
    media.add_attribute(Attribute::new(direction.as_str()));
    media
}

fn bare(media: &str, port: u16, proto: &str, fmt: String) -> Media {
    Media {
        media: media.to_owned(),
        port,
        num_ports: None,
        proto: proto.to_owned(),
        fmt,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

/// Room for a usual description.
const USUAL_BYTES: usize = 320;
