//! What a carrier is told once.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use media::clip::{Clip, Plays};
use rustls::ServerConfig;

/// How a carrier behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens for SIP over UDP; port 0 chooses a free one. Whoever calls from this address is served.
    pub listen: SocketAddr,
    /// Where it listens for TCP too, if it does; port 0 chooses a free one.
    pub tcp: Option<SocketAddr>,
    /// Where it listens for TLS too, and what it shows there.
    pub tls: Option<(SocketAddr, Arc<ServerConfig>)>,
    /// Where its telephones send and receive RTP.
    pub rtp_ip: IpAddr,
    /// The ports of its telephones: an even one for RTP and the next one for RTCP each.
    pub rtp_ports: RangeInclusive<u16>,
    /// What the telephones say. The digit before a number's last four chooses, modulo their count; with no voice they
    /// say nothing, in packets of silence.
    pub voices: Vec<Clip>,
    /// How often a telephone says it; silence follows.
    pub voice_plays: Plays,
    /// What a number that does not exist is answered with.
    pub empty_number: Option<Clip>,
    /// What the network says of a party that is busy.
    pub busy: Option<Clip>,
    /// What the network says of a party whose telephone is switched off.
    pub powered_off: Option<Clip>,
    /// A folder for what each telephone heard, as mono A-law WAV. It is created when it is missing.
    pub recordings: Option<PathBuf>,
    /// How long its telephones take.
    pub times: Times,
    /// A telephone that hears neither RTP nor RTCP for so long hangs up; `None` never.
    pub quiet_max: Option<Duration>,
    /// How fast the protocol runs.
    pub pace: sip::Pace,
    /// What random numbers are made from: the packets that get lost, tags, ports.
    pub seed: u64,
}

impl Settings {
    /// A carrier of silent telephones that keeps no recordings.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tcp: None,
            tls: None,
            rtp_ip: listen.ip(),
            rtp_ports: RTP_PORTS,
            voices: Vec::new(),
            voice_plays: Plays::Endless,
            empty_number: None,
            busy: None,
            powered_off: None,
            recordings: None,
            times: Times::default(),
            quiet_max: Some(QUIET_MAX),
            pace: sip::Pace::default(),
            seed: 0,
        }
    }
}

/// How long the telephones take for what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// They ring before they answer or reject: 1 s by default.
    pub ring: Duration,
    /// They ring before the network gives up: 3 s by default.
    pub give_up: Duration,
    /// An announcement is heard before the call fails: 3 s by default.
    pub announcement: Duration,
    /// They talk before they hang up themselves: 3 s by default.
    pub talk: Duration,
    /// From the answer to the first key: 1 s by default.
    pub key: Duration,
    /// ACKs are not heard after the answer: 1.2 s by default, two repetitions at the usual T1.
    pub deafness: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            ring: Duration::from_secs(1),
            give_up: Duration::from_secs(3),
            announcement: Duration::from_secs(3),
            talk: Duration::from_secs(3),
            key: Duration::from_secs(1),
            deafness: Duration::from_millis(1_200),
        }
    }
}

impl Times {
    /// All of them, so many times as long. A factor that is no length, such as a negative one, makes them zero.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let scale =
            |time: Duration| Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or_default();
        Self {
            ring: scale(self.ring),
            give_up: scale(self.give_up),
            announcement: scale(self.announcement),
            talk: scale(self.talk),
            key: scale(self.key),
            deafness: scale(self.deafness),
        }
    }
}

/// Five thousand telephones at once, away from the ports that a platform on the same machine uses by default.
const RTP_PORTS: RangeInclusive<u16> = 40_000..=49_999;

/// Two minutes: longer than any pause in which a platform that is alive sends nothing at all.
const QUIET_MAX: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_time_is_a_tenth_of_every_wait() {
        let fast = Times::default().scaled(0.1);
        assert_eq!((fast.ring, fast.talk), (Duration::from_millis(100), Duration::from_millis(300)));
        assert_eq!(fast.scaled(-1.0).ring, Duration::ZERO);
    }
}
