//! The houses that the cases are played in, one for each configuration that they need.

use huihu_tests::ksyun::Customer;

use super::scene::Scene;
use crate::house::{self, Disk, Setup};

/// A house.
pub(super) type House = house::House<Scene>;

/// A configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// As it comes.
    #[default]
    Open,
    /// It takes orders by GET, no signature twice, and tells all faults in the codes of the document.
    Special,
    /// It gathers reports until a message is full.
    Gathering,
    /// One whose trunk, disk and database break.
    Frail,
}

impl house::Kind for Kind {
    fn setup(self) -> Setup {
        match self {
            Self::Open => Setup::new(6, ""),
            Self::Special => Setup::new(
                2,
                "[requests]\nallow_get = true\none_error_family = true\nrefuse_replays = true\n",
            ),
            Self::Gathering => Setup::new(1, "report_gather_secs = 15\n"),
            Self::Frail => Setup { disk: Disk::Small, ..Setup::new(1, "[limits]\naccept_secs = 1\n") },
        }
    }
}

/// The app of all cases that need nothing special.
pub(super) struct Usual {
    pub(super) customer: Customer,
    /// A notice with two places, `{name}` and `{no}`.
    pub(super) notice: String,
    /// A menu without places.
    pub(super) menu: String,
    /// A notice that nobody has reviewed.
    pub(super) unreviewed: String,
}
