//! A platform, a customer, and a trunk whose telephones are simulated.

use std::net::SocketAddr;
use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::api::Customer;
use huihu_tests::huihu::{Installation, Server};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Telephones that ring for a moment, but those that nobody answers, which ring on.
pub(crate) fn carrier() -> Carrier {
    let mut settings = Settings::new(loopback());
    settings.times = settings.times.scaled(0.1);
    settings.times.give_up = PATIENCE;
    Carrier::start(settings).expect("a carrier can be started")
}

/// A port that the system chooses.
pub(crate) fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().expect("this is an address")
}

/// A trunk that nobody calls.
pub(crate) fn nowhere() -> SocketAddr {
    "127.0.0.1:9".parse().expect("this is an address")
}

/// A customer who knows where to ask.
pub(crate) fn at(server: &Server, customer: Customer) -> Customer {
    Customer { address: server.http.clone(), ..customer }
}

/// The customers of two enterprises: the first has the usual number, the second this one.
pub(crate) fn two(installation: &Installation) -> Customer {
    installation.app("rival", RIVAL, &["--account", "rival", "--ports", "1000"])
}

/// The number of the second customer.
pub(crate) const RIVAL: &str = "+8675500000009";
