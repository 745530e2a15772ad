//! Capacity that is taken before a call starts and comes back when it ends, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::experience::{Conducted, Outcome};

/// A number of ports, of an app or of the platform. One call takes one port of each.
#[derive(Debug, Default)]
pub struct Ports {
    taken: AtomicU32,
}

impl Ports {
    /// Nothing taken yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { taken: AtomicU32::new(0) }
    }

    /// How many are taken now.
    #[must_use]
    pub fn taken(&self) -> u32 {
        self.taken.load(Ordering::Acquire)
    }

    /// Takes one if fewer than `cap` are taken.
    fn take(self: &Arc<Self>, cap: u32) -> Option<Port> {
        let grow = |taken: u32| (taken < cap).then(|| taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, grow).ok()?;
        Some(Port(Arc::clone(self)))
    }
}

/// One taken port.
#[derive(Debug)]
struct Port(Arc<Ports>);

impl Drop for Port {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Rides with a call; dropping it gives the app's and the platform's port back.
#[derive(Debug)]
pub struct Permit {
    _app: Port,
    _platform: Port,
    learned: Option<Arc<Conducted>>,
}

/// Which cap was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The app's own cap.
    App,
    /// The platform's cap.
    Platform,
}

impl Permit {
    /// Takes one port of the app and one of the platform, or nothing.
    ///
    /// # Errors
    /// Says which cap was reached.
    pub fn take(
        app: &Arc<Ports>,
        app_cap: u32,
        platform: &Arc<Ports>,
        platform_cap: u32,
    ) -> Result<Self, Full> {
        let of_app = app.take(app_cap).ok_or(Full::App)?;
        let of_platform = platform.take(platform_cap).ok_or(Full::Platform)?;
        Ok(Self { _app: of_app, _platform: of_platform, learned: None })
    }

    /// Lets the app's conduct learn from the call that the permit rides with.
    #[must_use]
    pub fn teaching(self, app: &Arc<Conducted>) -> Self {
        Self { learned: Some(Arc::clone(app)), ..self }
    }

    /// Says how the call went. What comes after the first time is not heard.
    pub fn conclude(&mut self, outcome: &Outcome) {
        if let Some(app) = self.learned.take() {
            app.note(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_comes_back_when_the_permit_is_dropped() {
        let (app, platform) = (Arc::new(Ports::new()), Arc::new(Ports::new()));
        let first = Permit::take(&app, 1, &platform, 2).unwrap();
        assert_eq!(Permit::take(&app, 1, &platform, 2).unwrap_err(), Full::App);
        drop(first);
        assert_eq!((app.taken(), platform.taken()), (0, 0));
    }

    #[test]
    fn a_full_platform_takes_nothing_from_the_app() {
        let (app, platform) = (Arc::new(Ports::new()), Arc::new(Ports::new()));
        assert_eq!(Permit::take(&app, 9, &platform, 0).unwrap_err(), Full::Platform);
        assert_eq!(app.taken(), 0);
    }
}
