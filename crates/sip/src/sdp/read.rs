//! Reading what the other side describes.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Media, Session};

use super::{AudioDescription, Codec, Crypto, Direction, Fault, Kind, MEDIA, Payload};

impl AudioDescription {
    /// Reads the audio of a description: the first audio line over plain RTP that is not declined.
    ///
    /// # Errors
    /// Why there is none.
    pub fn read(sdp: &[u8]) -> Result<Self, Fault> {
        Self::read_over(PLAIN_RTP, sdp)
    }

    /// The same over SRTP, with what it is protected by.
    ///
    /// # Errors
    /// Why there is none.
    pub fn read_protected(sdp: &[u8]) -> Result<Self, Fault> {
        Self::read_over(SECURE_RTP, sdp)
    }

    pub(super) fn read_over(transport: &str, sdp: &[u8]) -> Result<Self, Fault> {
        let session = session(sdp)?;
        let at = audio_line(&session, transport)?;
        describe(&session, &session.medias[at])
    }
}

/// Reads a description, without the lines that have no say in audio and whose mistakes are therefore none.
pub(super) fn session(sdp: &[u8]) -> Result<Session, Fault> {
    let text = String::from_utf8_lossy(sdp);
    let mut lines = text.lines().map(str::trim_end).skip_while(|line| line.is_empty());
    if lines.next() != Some("v=0") {
        return Err(Fault::Malformed);
    }
    let mut plain = String::with_capacity(text.len());
    plain.push_str("v=0\n");
    let mut media = 0;
    for line in lines {
        match line.get(..2) {
            Some("m=") => media += 1,
            Some("c=" | "a=") => {}
            _ => continue,
        }
        // More spaces than one are a habit of some senders and mean nothing.
        for (at, word) in line.split(' ').filter(|word| !word.is_empty()).enumerate() {
            plain.push_str(if at == 0 { "" } else { " " });
            plain.push_str(word);
        }
        plain.push('\n');
    }
    if media > MEDIA {
        return Err(Fault::TooManyMedia);
    }
    Session::parse(plain.as_bytes()).map_err(|_| Fault::Malformed)
}

/// Which media line is the audio of the call.
pub(super) fn audio_line(session: &Session, transport: &str) -> Result<usize, Fault> {
    let is_audio = |media: &Media| media.media.eq_ignore_ascii_case("audio");
    let fits = |media: &Media| is_audio(media) && media.proto.eq_ignore_ascii_case(transport);
    let audio = session.medias.iter().position(|media| fits(media) && media.port != 0);
    let declined = session.medias.iter().any(|media| is_audio(media) && media.port == 0);
    audio.ok_or(if declined { Fault::Declined } else { Fault::NoAudio })
}

/// The stream that a media line describes.
pub(super) fn describe(session: &Session, media: &Media) -> Result<AudioDescription, Fault> {
    let connection = media.connections.first().or(session.connection.as_ref()).ok_or(Fault::Address)?;
    let ip = unicast(&connection.connection_address)?;
    let direction = direction(&media.attributes).or_else(|| direction(&session.attributes));
    let crypto = if media.proto.eq_ignore_ascii_case(SECURE_RTP) {
        let mut lines = media.attributes.iter().filter(|own| own.attribute.eq_ignore_ascii_case("crypto"));
        Some(lines.find_map(|line| Crypto::read(line.value.as_deref()?)).ok_or(Fault::NoKeys)?)
    } else {
        None
    };
    Ok(AudioDescription {
        address: SocketAddr::new(ip, media.port),
        rtcp: rtcp(media, ip),
        payloads: media.fmt.split(' ').filter_map(|number| payload(number, media)).take(PAYLOADS).collect(),
        direction: direction.unwrap_or(Direction::SendRecv),
        ptime_millis: value(&media.attributes, "ptime").and_then(|millis| millis.trim().parse().ok()),
        crypto,
    })
}

/// The address without a time to live; groups of receivers are not for calls.
fn unicast(text: &str) -> Result<IpAddr, Fault> {
    let bare = text.split('/').next().unwrap_or_default();
    let ip: IpAddr = bare.parse().map_err(|_| Fault::Address)?;
    if ip.is_multicast() { Err(Fault::Address) } else { Ok(ip) }
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP4 192.0.2.4` (RFC 3605).
fn rtcp(media: &Media, ip: IpAddr) -> SocketAddr {
    let usual = SocketAddr::new(ip, media.port.saturating_add(1));
    let Some(value) = value(&media.attributes, "rtcp") else { return usual };
    let mut words = value.split(' ');
    let Some(port) = words.next().and_then(|port| port.parse().ok()) else { return usual };
    let named = words.nth(2).map(unicast).and_then(Result::ok);
    SocketAddr::new(named.unwrap_or(ip), port)
}

fn direction(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| Direction::of(&attribute.attribute))
}

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.attribute.eq_ignore_ascii_case(name));
    found.and_then(|attribute| attribute.value.as_deref())
}

fn payload(number: &str, media: &Media) -> Option<Payload> {
    let number = number.parse().ok().filter(|number| (0..=LAST_PAYLOAD).contains(number))?;
    let maps = media.attributes.iter().filter(|attribute| attribute.attribute.eq_ignore_ascii_case("rtpmap"));
    let mut values = maps.filter_map(|attribute| attribute.value.as_deref()?.split_once(' '));
    let map = values.find(|(mapped, _)| mapped.parse() == Ok(number)).map(|(_, map)| map);
    Some(Payload { number, kind: map.map_or_else(|| static_kind(number), mapped_kind) })
}

/// The types that need no rtpmap (RFC 3551).
fn static_kind(number: u8) -> Kind {
    let codecs = [Codec::Pcma, Codec::Pcmu, Codec::G722];
    codecs.into_iter().find(|codec| codec.payload() == number).map_or(Kind::Other, Kind::Voice)
}

/// `PCMA/8000`, `PCMA/8000/1`, `opus/48000/2`, `telephone-event/8000`.
fn mapped_kind(map: &str) -> Kind {
    let (name, clock) = map.trim().split_once('/').unwrap_or_default();
    let clock = clock.strip_suffix("/1").unwrap_or(clock);
    match Codec::named(name) {
        Some(codec) if codec.clock() == clock => Kind::Voice(codec),
        None if name.eq_ignore_ascii_case("telephone-event") => match clock {
            "8000" => Kind::TelephoneEvent,
            "48000" => Kind::OpusEvent,
            _ => Kind::Other,
        },
        Some(_) | None => Kind::Other,
    }
}

/// The transport that we speak.
pub(super) const PLAIN_RTP: &str = "RTP/AVP";
/// The same protected (RFC 3711 12).
pub(super) const SECURE_RTP: &str = "RTP/SAVP";
/// Payload types have seven bits.
const LAST_PAYLOAD: u8 = 127;
/// Payload types of one line that we look at: a handset with everything lists about fifteen.
const PAYLOADS: usize = 32;
