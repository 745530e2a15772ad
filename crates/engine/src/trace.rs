//! What is kept of what goes over the wire.

use std::net::SocketAddr;
use std::path::PathBuf;

use base::private::Private;
pub use sip::Numbers;

/// Which calls leave a trace, where, and what stands in it.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// Whose traces are kept.
    pub calls: Traced,
    /// Where they are kept, as [`base::trace::path`] says.
    pub folder: PathBuf,
    /// Whether the headers of RTP packets are kept too.
    pub rtp_headers: bool,
    /// Whether numbers may be read in what is kept and told.
    pub numbers: Numbers,
    /// Who is told every SIP message of a call at once, kept or not.
    pub homer: Option<Homer>,
}

/// Whose traces are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// Nobody's.
    Nothing,
    /// Of calls that ended otherwise than by hanging up, a stop, or because their time was over.
    Failed,
    /// Of all calls.
    All,
}

/// A Homer server, which is told by HEP3 over UDP.
#[derive(Clone, Debug)]
pub struct Homer {
    /// Where it listens.
    pub address: SocketAddr,
    /// By which number it knows us.
    pub id: u32,
    /// What it wants to hear first, if anything.
    pub password: Option<Private<String>>,
}
