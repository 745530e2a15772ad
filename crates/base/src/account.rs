//! A customer as the road sees it: one snapshot, taken when a request comes in.

use std::collections::BTreeMap;

use crate::id::{AppId, ClipId};
use crate::number::E164;
use crate::order::ProductKind;
use crate::private::Private;
use crate::url::PushUrl;

/// An app with everything that belongs to it, and the key by which it was found.
#[derive(Clone, Debug)]
pub struct Account {
    /// The enterprise's account name.
    pub name: Box<str>,
    /// The app.
    pub app: App,
    /// The key that the request named.
    pub key: Key,
    /// Its numbers, in the order they were added.
    pub numbers: Vec<Number>,
    /// Its voice files by name.
    pub clips: BTreeMap<Box<str>, VoiceFile>,
}

impl Account {
    /// One of the app's numbers.
    #[must_use]
    pub fn number(&self, number: &E164) -> Option<&Number> {
        self.numbers.iter().find(|own| own.number == *number)
    }
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
    /// Which kinds of calls it was opened for.
    pub products: Vec<ProductKind>,
    /// How many calls it may have at once.
    pub ports: u32,
    /// Whether it may record.
    pub recording: bool,
    /// Where status events go when an order does not say.
    pub status_url: Option<PushUrl>,
    /// Where fee records go when an order does not say.
    pub fee_url: Option<PushUrl>,
    /// How its pushes are signed.
    pub push_signature: PushSignature,
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
}

/// A number that an app may show.
#[derive(Clone, Debug)]
pub struct Number {
    /// The number.
    pub number: E164,
    /// Whether it may be shown now.
    pub state: NumberState,
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
