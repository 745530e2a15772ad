//! A customer as the road sees it: one snapshot, taken when a request comes in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Block;
use crate::id::{AppId, ClipId};
use crate::limits;
use crate::number::{E164, Prefix};
use crate::order::ProductKind;
use crate::private::Private;
use crate::standing::{Conduct, Platform, Standing};
use crate::template::{Lengths, Wording};
use crate::url::PushUrl;

/// An app with everything that belongs to it, and the key by which it was found.
#[derive(Clone, Debug)]
pub struct Account {
    /// The enterprise's account name.
    pub name: Box<str>,
    /// Whether the enterprise may place calls.
    pub state: AccountState,
    /// The password with which its oldest clients log in, if it has one.
    pub password: Option<Private<Box<str>>>,
    /// The app.
    pub app: App,
    /// The key that the request named.
    pub key: Key,
    /// Its numbers, in the order they were added.
    pub numbers: Vec<Number>,
    /// Its voice files by name.
    pub clips: BTreeMap<Box<str>, VoiceFile>,
    /// The enterprise's templates by id.
    pub templates: BTreeMap<Box<str>, SpokenTemplate>,
    /// What holds for everybody, as it was when the snapshot was made.
    pub platform: Arc<Platform>,
}

impl Account {
    /// An app with its key, of an active enterprise of that name; nothing else belongs to it yet.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, app: App, key: Key) -> Self {
        Self {
            name: name.into(),
            state: AccountState::Active,
            password: None,
            app,
            key,
            numbers: Vec::new(),
            clips: BTreeMap::new(),
            templates: BTreeMap::new(),
            platform: Arc::default(),
        }
    }

    /// One of the app's numbers.
    #[must_use]
    pub fn number(&self, number: &E164) -> Option<&Number> {
        self.numbers.iter().find(|own| own.number == *number)
    }
}

/// Whether an enterprise may place calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountState {
    /// It may.
    #[default]
    Active,
    /// It owes money.
    InArrears,
    /// The operator suspended it.
    Suspended,
}

/// An application.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its name, unique in its enterprise.
    pub name: Box<str>,
    /// Whether it may place calls.
    pub state: AppState,
    /// Whether it was released for real use.
    pub phase: Phase,
    /// What the operator's security has against it, if anything.
    pub hold: Option<Hold>,
    /// Addresses that its requests may come from; none means all.
    pub addresses: Vec<Block>,
    /// Whether a request must come from a known IPv4 address.
    pub origin: Origin,
    /// Requests that it may make in a minute; `None`: as many as the platform takes.
    pub requests_per_minute: Option<u32>,
    /// Its own lists, hours and limits.
    pub standing: Standing,
    /// How its calls must go for it to place more.
    pub conduct: Conduct,
    /// Which kinds of calls it was opened for.
    pub products: Vec<ProductKind>,
    /// How many calls it may have at once.
    pub ports: u32,
    /// How the numbers begin that it may call, also as the first party; none means as the platform says.
    pub destinations: Vec<Prefix>,
    /// Whether it may record.
    pub recording: bool,
    /// Where status events go when an order does not say.
    pub status_url: Option<PushUrl>,
    /// Where fee records go when an order does not say.
    pub fee_url: Option<PushUrl>,
    /// How its pushes are signed.
    pub push_signature: PushSignature,
    /// Where reports go.
    pub report_url: Option<PushUrl>,
    /// How reports are worded.
    pub reports: ReportForm,
    /// How much may be said in its templates with named places.
    pub lengths: Lengths,
}

impl App {
    /// An app as it is made: active, opened for every kind of call, with nothing laid down for it and nobody told.
    #[must_use]
    pub fn new(id: AppId, name: impl Into<Box<str>>) -> Self {
        Self {
            id,
            name: name.into(),
            state: AppState::Active,
            phase: Phase::Commercial,
            hold: None,
            addresses: Vec::new(),
            origin: Origin::Any,
            requests_per_minute: None,
            standing: Standing::default(),
            conduct: Conduct::default(),
            products: ProductKind::ALL.into(),
            ports: limits::APP_PORTS,
            destinations: Vec::new(),
            recording: false,
            status_url: None,
            fee_url: None,
            push_signature: PushSignature::Joined,
            report_url: None,
            reports: ReportForm::default(),
            lengths: Lengths::default(),
        }
    }
}

/// How an app's reports are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportForm {
    /// In which codes a failure is told.
    pub codes: ReportCodes,
    /// How codes that are numbers are written.
    pub numbers: NumberForm,
    /// What a menu is told to be, where reports number the kinds of calls: 0 to 9.
    pub menus_are: u8,
}

impl Default for ReportForm {
    fn default() -> Self {
        Self { codes: ReportCodes::Status, numbers: NumberForm::Number, menus_are: 2 }
    }
}

/// In which codes a report tells a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportCodes {
    /// The SIP status.
    #[default]
    Status,
    /// The vendor's own codes, which tell more causes apart.
    Detailed,
}

/// How a code that is a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberForm {
    /// As a number.
    #[default]
    Number,
    /// As text, for receivers that know one type only.
    Text,
}

/// Whether an app may place calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppState {
    /// It may.
    Active,
    /// Its owner paused it.
    Paused,
    /// It is frozen, or was never approved.
    Unavailable,
    /// It was deleted. Its keys stay known, so that its last pushes can be signed.
    Deleted,
}

/// Whether an app was released for real use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It may use the real paths, and the sandbox.
    #[default]
    Commercial,
    /// It may use the sandbox only.
    Sandbox,
}

/// What the operator's security has against an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Something that customers are not told.
    Unspecified,
    /// Its calls are not what calls should be.
    AbnormalCalls,
}

/// What is asked of the address that a request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nothing.
    #[default]
    Any,
    /// It is an IPv4 address.
    Ipv4,
}

/// The generations of push signatures that receivers were written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushSignature {
    /// No authentication headers at all.
    Off,
    /// The address, the nonce and the UTC time, joined.
    Joined,
    /// The address, the nonce and the Beijing time, on three lines.
    Lines,
}

/// A key id and its secret.
#[derive(Clone, Debug)]
pub struct Key {
    /// What requests name it by.
    pub id: Box<str>,
    /// What requests and pushes are signed with.
    pub secret: Private<Box<str>>,
    /// What requests must show besides; only a temporary key has it.
    pub token: Option<Private<Box<str>>>,
}

/// A number that an app may show.
#[derive(Clone, Debug)]
pub struct Number {
    /// The number.
    pub number: E164,
    /// Whether it may be shown now.
    pub state: NumberState,
    /// Whether the sub-enterprise that it was issued for may place calls.
    pub owner: OwnerState,
}

/// Whether the sub-enterprise of a number may place calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnerState {
    /// It may, or the number belongs to the enterprise itself.
    #[default]
    Active,
    /// The operator suspended it, after complaints for instance.
    Suspended,
}

/// Whether a number may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberState {
    /// It may.
    Active,
    /// It may not for now; another number of the app is shown in its place.
    Paused,
}

/// A customer's voice file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceFile {
    /// Its content.
    pub clip: ClipId,
    /// Whether it may be played.
    pub review: Review,
}

/// A text or a menu that may be spoken, with places for words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenTemplate {
    /// What is said.
    pub wording: Wording,
    /// How fast it is spoken, in percent of the voice's own pace: 50 to 200.
    pub speed: u8,
    /// Whether it may be spoken.
    pub review: Review,
}

/// The state of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Nobody has looked yet.
    Pending,
    /// It may be used.
    Approved,
    /// It may not.
    Rejected,
}
