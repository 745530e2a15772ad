//! SIP without IO: datagrams and deadlines in, messages and datagrams out.
//!
//! *Takes* bytes from the network and wishes from the engine. *Gives* bytes to send and by which [`Transport`], news,
//! and the next deadline. It never opens a socket or a connection, resolves a name, reads a clock, draws a random
//! number, blocks or panics on what a stranger sends.
//!
//! Read [`Endpoint`] first if you place or take calls or register with a trunk, [`Party`] and its neighbours for who
//! calls whom, [`message`] if you care what stands on the wire (its [`Inbox`](message::Inbox) finds the messages of a
//! connection), then [`digest`] (how we prove who we are) and [`sdp`] (what the media will be).

pub mod digest;
pub mod message;
pub mod sdp;

mod dialog;
mod early;
mod endpoint;
mod event;
mod identity;
mod invite;
mod passing;
mod reason;
mod registration;
mod saved;
mod settings;
mod shard;
mod timer;
mod transaction;
mod transport;
mod veil;

pub use self::early::{EarlyBranches, EarlyMedia};
pub use self::endpoint::{Adopted, Endpoint, Ignored, Load, Ring};
pub use self::event::{Datagram, EndedBy, Event, Fault, Fork, Invited, LegKey, Output, Outputs};
pub use self::identity::{Address, DISPLAY_CHARS_MAX, Header, IdentityFault, Party, Privacy};
pub use self::invite::Invite;
pub use self::reason::{Protocol, Reason};
pub use self::registration::{Register, RegistrationKey, RegistrationState};
pub use self::saved::{Saved, SavedDialog};
pub use self::settings::{NextHop, PeerRule, SentBy, SessionTimer, Settings, Sips, Viewer};
pub use self::shard::call_id_of;
pub use self::timer::Pace;
pub use self::transport::{Hop, Transport};
pub use self::veil::{Numbers, veil};

/// CSeq number of the first request of a leg that we place.
const FIRST_CSEQ: u32 = 1;
