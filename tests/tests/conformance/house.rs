//! A house that cases are played in: the real binary with its telephones, an operator and a receiver.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use carrier::{Carrier, Settings};
use huihu_tests::http::Answer;
use huihu_tests::huihu::{Installation, Server};
use huihu_tests::operator::Operator;
use huihu_tests::receiver::Receiver;

/// What a case of a vendor's matrix has at hand, and what the houses of that matrix are like.
pub(crate) trait Stage: Send + Sized {
    /// The configurations that its cases need.
    type Kind: Kind;
    /// What is there for all cases of a house that need nothing of their own.
    type Usual: Send + Sync;

    /// Puts into an installation what must be there before its server starts.
    fn prepare(kind: Self::Kind, installation: &Installation);

    /// Has the operator of a running house set what all cases share.
    fn furnish(installation: &Installation, server: &Server, operator: &Operator) -> Self::Usual;

    /// A stage in a house; `n` tells the parties and addresses of its cases apart.
    fn new(house: &Arc<House<Self>>, n: u16) -> Self;

    /// Takes an app of its own.
    fn take_app(&mut self);

    /// An answer in a word or two, and whatever of it is not as documented.
    fn told(answer: &Answer) -> String;
}

/// A configuration of a house. The default one is where cases are played that name none.
pub(crate) trait Kind: Copy + Debug + Default + Ord + Send + 'static {
    /// How such a house is opened.
    fn setup(self) -> Setup;
}

/// How a house is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// What is configured besides the usual; it stands behind what is configured of pushes.
    pub(crate) config: &'static str,
    /// Where it listens for HTTP.
    pub(crate) listens: &'static str,
    /// How many cases are played at once. Where things break they break for everybody.
    pub(crate) crowd: usize,
    /// What it writes to.
    pub(crate) disk: Disk,
}

/// What a server writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disk {
    /// Takes whatever is written.
    Patient,
    /// Can be filled.
    Small,
}

impl Setup {
    /// On IPv4 and a patient disk.
    pub(crate) const fn new(crowd: usize, config: &'static str) -> Self {
        Self { config, listens: "127.0.0.1:0", crowd, disk: Disk::Patient }
    }
}

/// A running platform with its telephones, an operator, and a customer that nothing is wrong with.
pub(crate) struct House<S: Stage> {
    pub(crate) kind: S::Kind,
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    pub(crate) operator: Operator,
    pub(crate) receiver: Receiver,
    pub(crate) carrier: Carrier,
    /// What is nobody's own.
    pub(crate) usual: S::Usual,
}

impl<S: Stage> House<S> {
    /// Opens a house.
    pub(crate) fn open(kind: S::Kind) -> Self {
        let Setup { config, listens, disk, .. } = kind.setup();
        let carrier = Carrier::start(telephones()).expect("a carrier can be started");
        let installation = Installation::new(carrier.address());
        installation.configure(config);
        S::prepare(kind, &installation);
        let server = match disk {
            Disk::Patient => installation.serve_with(&[("HUIHU_HTTP", listens)]),
            Disk::Small => installation.serve_on_small_disk(),
        };
        let operator = Operator::of(&installation, &server);
        let usual = S::furnish(&installation, &server, &operator);
        Self { kind, installation, server, operator, receiver: Receiver::start(), carrier, usual }
    }
}

/// Telephones in a hurry, but for their talks: a recording takes three seconds.
fn telephones() -> Settings {
    let mut settings = Settings::new("127.0.0.1:0".parse().expect("this is an address"));
    settings.times = settings.times.scaled(0.1);
    settings.times.talk = Duration::from_millis(3_600);
    settings
}
