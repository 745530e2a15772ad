//! The houses that the cases are played in, one for each configuration that they need.

use huihu_tests::api::Customer;

use crate::house::{self, Disk, Setup};
use crate::huawei::scene::Scene;

/// A house.
pub(crate) type House = house::House<Scene>;

/// A configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// As it comes, but that a ban is over soon.
    #[default]
    Open,
    /// Strict where the default is lenient, on IPv6, and with one port.
    Strict,
    /// It takes two requests a second.
    Brisk,
    /// For clients of the years before 2021, with tokens that soon expire.
    Legacy,
    /// One whose trunk, disk and files break.
    Frail,
    /// Its recordings soon expire.
    Forgetful,
    /// It repeats fee records after a second.
    Insistent,
}

impl house::Kind for Kind {
    fn setup(self) -> Setup {
        match self {
            Self::Open => Setup::new(6, "[requests]\nban_secs = 3\n"),
            Self::Strict => Setup {
                listens: "[::1]:0",
                ..Setup::new(
                    1,
                    "[requests]\nstrict_clock = true\nrefuse_replays = true\n[limits]\nports = 1\n",
                )
            },
            Self::Brisk => Setup::new(1, "[limits]\nrequests_per_second = 2\n"),
            Self::Legacy => {
                Setup::new(4, "[requests]\nlegacy_signature = true\nlegacy_login = true\ntoken_secs = 2\n")
            }
            Self::Frail => Setup { disk: Disk::Small, ..Setup::new(1, "[limits]\naccept_secs = 1\n") },
            Self::Forgetful => Setup::new(4, "[recordings]\naddress_secs = 2\nkeep_secs = 12\n"),
            Self::Insistent => Setup::new(4, "retry_secs = 1\n"),
        }
    }
}

/// The app of all cases that need nothing special.
pub(crate) struct Usual {
    pub(crate) customer: Customer,
    /// A template with two places, `${TXT_9}` and `${NUM_6}`.
    pub(crate) template: String,
    /// A template that nobody has reviewed.
    pub(crate) unreviewed: String,
}

/// A voice file that nobody has reviewed.
pub(crate) const UNREVIEWED_CLIP: &str = "unreviewed.wav";

/// A voice file whose sound is lost, in the frail house.
pub(crate) const LOST_CLIP: &str = "lost.wav";
