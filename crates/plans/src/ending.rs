//! The endings that plans share.

use base::id::Leg;
use base::release::{Cause, Ending, Party, Release};

/// The customer asked us to stop.
pub(crate) const STOPPED: Ending = Ending { by: Party::Customer, cause: Cause::Stopped, leg: None };

/// We end it, and no leg decided that.
pub(crate) const fn by_platform(cause: Cause) -> Ending {
    Ending { by: Party::Platform, cause, leg: None }
}

/// The leg was not answered in time.
pub(crate) const fn rang_too_long(leg: Leg) -> Ending {
    Ending { by: Party::Platform, cause: Cause::RingTimeout, leg: Some(leg) }
}

/// The release of a leg as the ending of the call.
pub(crate) const fn of(leg: Leg, release: Release) -> Ending {
    Ending { by: release.by, cause: release.cause, leg: Some(leg) }
}
