//! The houses that the cases are played in: the real binary, once for each configuration that they need.

use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::api::Customer;
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;
use serde_json::json;

/// A configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// As it comes, but that a ban is over soon.
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

impl Kind {
    /// What is configured besides the usual.
    const fn config(self) -> &'static str {
        match self {
            Self::Open => "[requests]\nban_secs = 3\n",
            Self::Strict => "[requests]\nstrict_clock = true\nrefuse_replays = true\n[limits]\nports = 1\n",
            Self::Brisk => "[limits]\nrequests_per_second = 2\n",
            Self::Legacy => "[requests]\nlegacy_signature = true\nlegacy_login = true\ntoken_secs = 2\n",
            Self::Frail => "[limits]\naccept_secs = 1\n",
            Self::Forgetful => "[recordings]\naddress_secs = 2\nkeep_secs = 12\n",
            // It stands behind what is configured of pushes anyway.
            Self::Insistent => "retry_secs = 1\n",
        }
    }

    const fn listens(self) -> &'static str {
        match self {
            Self::Strict => "[::1]:0",
            _ => "127.0.0.1:0",
        }
    }

    /// How many cases are played at once. Where things break they break for everybody.
    pub(crate) const fn crowd(self) -> usize {
        match self {
            Self::Open => 6,
            Self::Legacy | Self::Insistent | Self::Forgetful => 4,
            Self::Strict | Self::Brisk | Self::Frail => 1,
        }
    }
}

/// A running platform with its telephones, an operator, and a customer that nothing is wrong with.
pub(crate) struct House {
    pub(crate) kind: Kind,
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    pub(crate) operator: Operator,
    pub(crate) receiver: Receiver,
    pub(crate) carrier: Carrier,
    /// The app that is nobody's own.
    pub(crate) usual: Usual,
}

/// The app of all cases that need nothing special.
pub(crate) struct Usual {
    pub(crate) customer: Customer,
    /// A template with two places, `${TXT_9}` and `${NUM_6}`.
    pub(crate) template: String,
    /// A template that nobody has reviewed.
    pub(crate) unreviewed: String,
}

impl House {
    /// Opens a house.
    pub(crate) fn open(kind: Kind) -> Self {
        let carrier = Carrier::start(telephones()).expect("a carrier can be started");
        let installation = Installation::new(carrier.address());
        installation.configure(kind.config());
        let server = match kind {
            Kind::Frail => {
                installation.add_lost_clip("demo", LOST_CLIP);
                installation.serve_on_small_disk()
            }
            _ => installation.serve_with(&[("HUIHU_HTTP", kind.listens())]),
        };
        let operator = Operator::of(&installation, &server);
        let customer = installation.customer(&server);
        let demo = operator.app_named("demo");
        operator.open_all(&demo);
        operator.change_app(&demo, &json!({"recording": true}));
        operator.add_number(&demo, crate::scene::SECOND_NUMBER);
        operator.add_clip(&demo, UNREVIEWED_CLIP);
        let template = operator.template(&demo, "您好${TXT_9}，您的号码是${NUM_6}", true);
        let unreviewed = operator.template(&demo, "您好，欢迎", false);
        let usual = Usual { customer, template, unreviewed };
        Self { kind, installation, server, operator, receiver: Receiver::start(), carrier, usual }
    }
}

/// A voice file that nobody has reviewed.
pub(crate) const UNREVIEWED_CLIP: &str = "unreviewed.wav";

/// A voice file whose sound is lost, in the frail house.
pub(crate) const LOST_CLIP: &str = "lost.wav";

/// Telephones in a hurry, but for their talks: a recording takes three seconds.
fn telephones() -> Settings {
    let mut settings = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
    settings.times = settings.times.scaled(0.1);
    settings.times.talk = Duration::from_millis(3_600);
    settings
}
