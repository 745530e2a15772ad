//! Where requests and orders are taken: what came, and what the platform has and allows.

use std::net::IpAddr;
use std::sync::Arc;

use base::account::Phase;
use base::address::Guard;
use base::experience::Conducted;
use base::limits;
use base::number::Prefix;
use base::order::ProductKind;
use base::permit::Ports;
use base::time::Timestamp;
use base::trunk::Trunks;

use crate::{Gate, Tally};

/// A request at the first door, before its body is read.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The address it comes from.
    pub peer: IpAddr,
    /// What its path is for: real use, or the sandbox.
    pub phase: Phase,
    /// The kind of call it is about; `None` for what is not a call, such as a stop.
    pub product: Option<ProductKind>,
    /// When it came.
    pub now: Timestamp,
    /// What is remembered of the requests before it.
    pub gate: &'a Gate,
}

impl Visit<'_> {
    /// The address as lists write it: an IPv4 address in the clothes of IPv6 is an IPv4 address.
    pub(crate) const fn address(&self) -> IpAddr {
        self.peer.to_canonical()
    }
}

/// Where orders are taken, at the second door.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The host name of this node, which will own the call.
    pub node: &'a str,
    /// The ports of the app that asks.
    pub app_ports: &'a Arc<Ports>,
    /// The ports of the platform.
    pub platform_ports: &'a Arc<Ports>,
    /// What the operator allows.
    pub policy: &'a Policy,
    /// Where pushes may go.
    pub guard: &'a Guard,
    /// How many calls there were, by everything that has a limit.
    pub tally: &'a Tally,
    /// How the app's calls went lately.
    pub conducted: &'a Arc<Conducted>,
    /// The trunks, and whether they work.
    pub trunks: &'a Trunks,
    /// When the order came.
    pub now: Timestamp,
}

/// What the operator's configuration allows to everybody. Lists, hours and limits, which change while we run, come
/// with the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Calls that the platform runs at once.
    pub platform_ports: u32,
    /// Whether numbers outside mainland China may be dialled by apps that do not say where they call.
    pub abroad: Abroad,
    /// How the numbers begin that nobody dials, whatever is open: services that cost the one who calls them.
    pub never: Vec<Prefix>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { platform_ports: limits::PLATFORM_PORTS, abroad: Abroad::Closed, never: Vec::new() }
    }
}

/// Whether numbers outside mainland China (+86) may be dialled, as either party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abroad {
    /// They may.
    Open,
    /// They may not.
    Closed,
}
