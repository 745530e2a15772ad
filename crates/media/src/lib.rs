//! The media of call legs: RTP packets and ticks go in, packets and events come out.
//!
//! *Takes* packets as bytes in the driver's own buffer, and `now`. *Gives* [`session::Incoming`] for a packet,
//! [`session::Due`] for a tick, and rewritten packets in the same buffer. It never touches a socket, a clock or a lock,
//! never allocates for a packet, decodes what it relays only where two legs speak different codecs, and never answers a
//! stranger.
//!
//! ```text
//! packet ─▶ Session A receive ─▶ Heard ─▶ Session B forward ─▶ packet       relay: header rewritten in place
//! tick   ─▶ Session B tick ─▶ Due                                           clips, keys, RTCP, ends, another codec
//! ```
//!
//! Read [`session`] first: one leg. Beside it stand the parts it is made of: [`source`] (whom we listen to), [`rtp`],
//! [`rtcp`], [`srtp`], [`dtmf`] (keys as events), `inband` (keys as tones), [`answerer`] (who picks up), [`announcement`]
//! (what the network says before), [`clip`], [`codec`], `transcode`, [`playout`] and [`conceal`]; and what drivers and far ends need: [`timer_wheel`], [`record`], [`tone`] and [`quality`].

pub mod announcement;
pub mod answerer;
pub mod clip;
pub mod codec;
pub mod conceal;
pub mod dtmf;
pub mod g711;
mod inband;
mod line;
pub mod playout;
pub mod quality;
mod reception;
pub mod record;
mod relay;
mod resample;
pub mod rtcp;
pub mod rtp;
pub mod session;
pub mod source;
pub mod srtp;
#[cfg(test)]
mod tests;
pub mod timer_wheel;
pub mod tone;
mod transcode;

pub use line::{FRAME, FRAME_SAMPLES};
