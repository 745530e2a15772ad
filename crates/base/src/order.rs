//! What a customer asks for, in our words.
//!
//! A dialect makes an [`Order`] of what came over the wire; clips are still wishes then. Admission resolves them,
//! so the same shapes with [`ClipKey`](crate::clip::ClipKey) inside are what a [`Call`](crate::call::Call) holds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clip::ClipWish;
use crate::id::CallId;
use crate::number::E164;
use crate::private::Private;
use crate::url::PushUrl;

/// Everything that can be asked of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Place a call.
    Place(Box<Placing>),
    /// End a running call, both legs.
    Stop(CallId),
    /// Fetch the recording of a call.
    Fetch(CallId),
    /// Nothing: whoever asks only wants to know whether they may.
    Check,
    /// Begin a session, or renew it.
    LogIn,
    /// End the session.
    LogOut,
}

/// A call to place: what it does, and what holds for every kind of call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placing {
    /// What the call does.
    pub product: Product<ClipWish>,
    /// How the customer is told of the call.
    pub told: Told,
    /// The number that is to be shown, as the customer wrote it; `None` when the choice was left to us.
    pub asked_shown: Option<Box<str>>,
    /// How the customer is told what is held against whom is called and against what is said.
    pub objections: Objections,
    /// The customer's own words, given back in every push.
    pub user_data: Option<Box<str>>,
    /// A number that must be bound to the app for the call to be accepted, besides those that are shown.
    pub bound_number: Option<E164>,
    /// Whether the reply says how many ports are idle.
    pub tell_idle_ports: bool,
    /// Whether the last status event says who hung up.
    pub tell_who_hung_up: bool,
}

/// How a customer is told of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// By events while it runs, and a fee record when it is over.
    Events {
        /// Where status events go; `None` leaves it to the app's setting.
        status_url: Option<PushUrl>,
        /// Where the fee record goes; `None` leaves it to the app's setting.
        fee_url: Option<PushUrl>,
    },
    /// By one report when it is over, to the app's receiver of reports.
    Report,
}

/// How a customer is told that somebody may not be called, or that something may not be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objections {
    /// The order is refused.
    Refuse,
    /// The order is accepted, nobody is dialled, and the call's report says why.
    Report,
}

/// The kinds of calls, by what they do. `C` is how a clip is named: a wish, or a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Product<C> {
    /// Two parties, one after the other, then connected.
    Callback(Callback<C>),
    /// One party, a verification code digit by digit.
    Code(Code<C>),
    /// One party, who hears something and may answer with keys.
    Notice(Notice<C>),
    /// One party, who finds a way through spoken choices with keys.
    Menu(Menu<C>),
}

/// The name of a kind of call, where what it does in detail does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProductKind {
    /// [`Product::Callback`]
    Callback,
    /// [`Product::Code`]
    Code,
    /// [`Product::Notice`]
    Notice,
    /// [`Product::Menu`]
    Menu,
}

impl ProductKind {
    /// Every kind, each once.
    pub const ALL: [Self; 4] = [Self::Callback, Self::Code, Self::Notice, Self::Menu];
}

impl<C> Product<C> {
    /// Which kind this is.
    pub const fn kind(&self) -> ProductKind {
        match self {
            Self::Callback(_) => ProductKind::Callback,
            Self::Code(_) => ProductKind::Code,
            Self::Notice(_) => ProductKind::Notice,
            Self::Menu(_) => ProductKind::Menu,
        }
    }
}

/// Dial A, then B, then connect them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback<C> {
    /// A, who is dialled first.
    pub caller: E164,
    /// B, who is dialled when A has answered.
    pub callee: E164,
    /// What A's telephone shows: a number of the app.
    pub shown_to_caller: E164,
    /// What B's telephone shows: a number of the app.
    pub shown_to_callee: E164,
    /// The longest conversation, from B's answer on; 1 to 1440 whole minutes. `None`: until somebody hangs up.
    pub longest: Option<Longest<C>>,
    /// Played to A before B is dialled.
    pub pre_voice: Option<C>,
    /// Looped to A while B is dialled.
    pub wait_voice: C,
    /// How much of B's early media A may hear.
    pub callee_media: CalleeMedia,
    /// How the conversation is recorded; `None`: not at all.
    pub recorded: Option<Recorded<C>>,
}

/// A conversation that is recorded, from the moment on that both parties hear each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded<C> {
    /// What both parties hear as it begins.
    pub hint: C,
}

/// A limited conversation and its last-minute announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Longest<C> {
    /// How long, from B's answer.
    pub talk: Duration,
    /// What is announced one minute before the end.
    pub last_minute: C,
    /// Who hears it.
    pub ears: Ears,
}

/// Who hears an announcement in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ears {
    /// Only the caller.
    A,
    /// Only the callee.
    B,
    /// Both.
    Both,
}

/// How much of B's early media A may hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CalleeMedia {
    /// All of it, in place of the wait voice as soon as it comes.
    All,
    /// Nothing: the wait voice plays until B answers or is gone.
    Nothing,
    /// Only an announcement of failure, known by the reason that comes with it.
    FailureOnly,
}

/// Dial one party and say a verification code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code<C> {
    /// Who is dialled.
    pub callee: E164,
    /// What the telephone shows: a number of the app.
    pub shown: E164,
    /// Played before the code.
    pub before: C,
    /// The digits, each 0 to 9; 2 to 8 of them. Never stored: a call does not outlive its process.
    #[serde(skip)]
    pub digits: Private<Vec<u8>>,
    /// Played after the code.
    pub after: Option<C>,
    /// How often the code is said, 1 to 9; `None`: until the party hangs up or the longest allowed time is over.
    pub times: Option<u8>,
    /// What is repeated.
    #[serde(default)]
    pub repeats: Repeats,
}

/// What is said several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeats {
    /// The digits only.
    #[default]
    Digits,
    /// The digits with what is played before and after them.
    Everything,
}

/// Dial one party, let it hear something, and take the keys that it answers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice<C> {
    /// Who is dialled.
    pub callee: E164,
    /// What the telephone shows: a number of the app.
    pub shown: E164,
    /// What is heard, in order; 1 to 5 of them.
    pub items: Vec<NoticeItem<C>>,
}

/// One thing to hear, and the keys that are wanted in answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeItem<C> {
    /// What is heard.
    pub voice: C,
    /// Which keys are collected; `None`: none.
    pub collect: Option<Collect>,
}

/// Keys that are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collect {
    /// How many at most, 1 to 32.
    pub digits_max: u8,
    /// What must be pressed to hear the item again; anything else ends the call then. `None`: nothing is repeated.
    pub replay_on: Option<Private<Box<str>>>,
}

/// Dial one party and let it find its way through spoken choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu<C> {
    /// Who is dialled.
    pub callee: E164,
    /// What the telephone shows: a number of the app.
    pub shown: E164,
    /// What is said, and which key leads where.
    pub tree: MenuTree<C>,
}

/// Spoken choices and where they lead. It may have circles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuTree<C> {
    /// The places that a party can be at; 1 to 64, and the call begins at the first.
    pub nodes: Vec<MenuNode<C>>,
    /// What is said before we hang up.
    pub bye: Option<C>,
}

/// One place of a menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuNode<C> {
    /// What is said there.
    pub prompt: C,
    /// Which keys lead on, each key once; without any the call ends here.
    pub choices: Vec<Choice>,
    /// How long the party has for a key when the prompt is over.
    pub wait: Duration,
    /// How often the prompt is played while no key comes that leads on; 1 to 9.
    pub plays: u8,
    /// What is said when a key leads nowhere.
    pub wrong: Option<C>,
}

/// A key, and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// `0`–`9`, `*` or `#`.
    pub key: char,
    /// Where it leads.
    pub then: Then,
}

/// Where a key leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// To the node at that position, from 0; it is there.
    Node(u8),
    /// To the end of the call.
    End,
}

impl<C> MenuTree<C> {
    /// Everything that may be said, each at least once.
    pub fn voices(&self) -> impl Iterator<Item = &C> {
        let of_nodes = self.nodes.iter().flat_map(|node| std::iter::once(&node.prompt).chain(&node.wrong));
        of_nodes.chain(&self.bye)
    }

    /// The same tree with other voices.
    ///
    /// # Errors
    /// The first that `change` gives.
    pub fn try_map<D, E>(&self, mut change: impl FnMut(&C) -> Result<D, E>) -> Result<MenuTree<D>, E> {
        let node = |node: &MenuNode<C>| {
            Ok(MenuNode {
                prompt: change(&node.prompt)?,
                choices: node.choices.clone(),
                wait: node.wait,
                plays: node.plays,
                wrong: node.wrong.as_ref().map(&mut change).transpose()?,
            })
        };
        let nodes = self.nodes.iter().map(node).collect::<Result<_, E>>()?;
        Ok(MenuTree { nodes, bye: self.bye.as_ref().map(change).transpose()? })
    }
}
