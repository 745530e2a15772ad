//! Menu: ring one party, play the prompt of a node, and go where its keys lead.
//!
//! ```text
//! New ─start─▶ Ringing ─Answered─▶ Prompting ─ClipEnded─▶ Waiting ─Deadline─▶ (again)
//!                                   │  └─ClipEnded, a leaf─▶ (leave)
//!                                   └─Digit, no leaf─▶ (a key) ◀─Digit─ Waiting, Correcting
//! Correcting ─ClipEnded─▶ (again)
//! Leaving ─ClipEnded─▶ Closing
//!
//! (a key)  leads to a node ─▶ Prompting, that node        both are reported
//!          leads out ─▶ (leave)
//!          leads nowhere ─▶ Correcting, or (again) where there is no clip for it
//! (again)  Prompting, the same node, as often as its prompt is to be played; then (leave)
//! (leave)  Leaving, or Closing where there is no bye
//!
//! New ─SpeechFailed─▶ Over                     what cannot be said is no reason to ring
//! Ringing ─Deadline─▶ Closing                  the ring time is over
//! Prompting, Waiting, Correcting, Leaving ─Deadline─▶ Closing      the longest announcement is over
//! Prompting, Correcting, Leaving ─ClipFailed─▶ Closing
//! Prompting, Waiting, Correcting, Leaving ─a machine greets─▶ Holding
//! these and Holding ─it listens─▶ Prompting, the first node; ─nobody talks to it─▶ Closing
//! Holding ─Deadline─▶ Closing
//! any but Closing ─Stop─▶ Closing
//! any but Closing ─Released─▶ Over
//! Closing ─Released │ Deadline─▶ Over
//! ```
//!
//! A key ends what is being played, as whoever knows the menu expects. Keys that come while a leaf or the bye is played
//! are not asked for. Who comes to a node again, by a key, hears its prompt as often as the first time; a menu whose
//! keys lead in a circle ends with the longest announcement.

use std::mem;
use std::time::Duration;

use base::clip::ClipKey;
use base::id::Leg;
use base::limits;
use base::order::{self, MenuNode, MenuTree, Then};
use base::private::Private;
use base::release::{Cause, Ending};
use base::time::Instant;

use crate::closing::Closing;
use crate::ending::{self, STOPPED, by_platform};
use crate::plan::{Event, Plan, Repeat, Todo, Treat};

/// The plan of a menu.
#[derive(Debug)]
pub struct Menu {
    tree: MenuTree<ClipKey>,
    ring: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Ringing {
        until: Instant,
    },
    Prompting(Visit),
    Waiting {
        visit: Visit,
        until: Instant,
    },
    Correcting(Visit),
    Leaving {
        cause: Cause,
        end_at: Instant,
    },
    /// A machine greets.
    Holding {
        until: Instant,
    },
    Closing(Closing),
    Over,
}

/// The party at a node.
#[derive(Debug)]
struct Visit {
    /// Which node. It would tell which key was pressed.
    node: Private<u8>,
    /// How often its prompt has been begun.
    plays: u8,
    /// Whether a key that leads somewhere was pressed in this call.
    chose: bool,
    /// When the longest announcement is over.
    end_at: Instant,
}

impl Menu {
    /// The plan that does what was ordered.
    #[must_use]
    pub fn new(order: &order::Menu<ClipKey>) -> Self {
        Self { tree: order.tree.clone(), ring: limits::RING, state: State::New }
    }

    /// The same, with so long for a telephone to ring; [`limits::RING`] otherwise.
    #[must_use]
    pub fn ringing_for(self, ring: Duration) -> Self {
        Self { ring, ..self }
    }
}

impl Plan for Menu {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        if matches!(self.state, State::New) {
            todo.dial(Leg::A);
            self.state = State::Ringing { until: now + self.ring };
        }
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        use Leg::A;
        use State::{Closing, Correcting, Holding, Leaving, New, Over, Prompting, Ringing, Waiting};
        let state = mem::replace(&mut self.state, Over);
        self.state = match (state, event) {
            (New, Event::SpeechFailed) => over(by_platform(Cause::SpeechFault), todo),

            (Ringing { .. }, Event::Answered { leg: A }) => self.begin(now, todo),
            (Ringing { until }, Event::Deadline) if now >= until => {
                close(now, ending::rang_too_long(A), todo)
            }

            (
                Prompting(Visit { end_at, .. })
                | Waiting { visit: Visit { end_at, .. }, .. }
                | Correcting(Visit { end_at, .. })
                | Leaving { end_at, .. }
                | Holding { until: end_at },
                Event::Deadline,
            ) if now >= end_at => close(now, by_platform(Cause::TimeOver), todo),

            (Prompting(visit), Event::ClipEnded { leg: A }) => self.prompted(visit, now, todo),
            (Waiting { visit, until }, Event::Deadline) if now >= until => self.again(visit, now, todo),
            (Correcting(visit), Event::ClipEnded { leg: A }) => self.again(visit, now, todo),
            (Leaving { cause, .. }, Event::ClipEnded { leg: A }) => close(now, by_platform(cause), todo),

            (
                Prompting(visit) | Waiting { visit, .. } | Correcting(visit),
                Event::Digit { leg: A, digit },
            ) if self.asks(&visit) => self.pressed(visit, digit, now, todo),

            (Prompting(_) | Correcting(_) | Leaving { .. }, Event::ClipFailed { leg: A, why }) => {
                close(now, by_platform(why.cause()), todo)
            }

            (
                Prompting(Visit { end_at, .. })
                | Waiting { visit: Visit { end_at, .. }, .. }
                | Correcting(Visit { end_at, .. })
                | Leaving { end_at, .. },
                Event::Machine { leg: A, treat: Treat::Wait },
            ) => hold(end_at, todo),
            (
                Prompting(_) | Waiting { .. } | Correcting(_) | Leaving { .. } | Holding { .. },
                Event::Machine { leg: A, treat: Treat::Begin },
            ) => self.begin(now, todo),
            (
                Prompting(_) | Waiting { .. } | Correcting(_) | Leaving { .. } | Holding { .. },
                Event::Machine { leg: A, treat: Treat::End },
            ) => close(now, by_platform(Cause::Machine), todo),

            (
                Ringing { .. }
                | Prompting(_)
                | Waiting { .. }
                | Correcting(_)
                | Leaving { .. }
                | Holding { .. },
                Event::Released { leg: A, release },
            ) => over(ending::of(A, release), todo),
            (New, Event::Stop) => over(STOPPED, todo),
            (
                Ringing { .. }
                | Prompting(_)
                | Waiting { .. }
                | Correcting(_)
                | Leaving { .. }
                | Holding { .. },
                Event::Stop,
            ) => close(now, STOPPED, todo),

            (Closing(closing), event) => closing.on(now, &event, todo).map_or(Over, Closing),

            // Early, late or repeated news changes nothing, nor does a key that nobody asked for.
            (
                state,
                Event::Ringing { .. }
                | Event::EarlyMedia { .. }
                | Event::EarlyMediaOver { .. }
                | Event::Answered { .. }
                | Event::ClipEnded { .. }
                | Event::ClipFailed { .. }
                | Event::SpeechFailed
                | Event::Digit { .. }
                | Event::Machine { .. }
                | Event::Released { .. }
                | Event::Deadline
                | Event::Stop,
            ) => state,
        };
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Ringing { until } | State::Holding { until } => Some(*until),
            State::Prompting(visit) | State::Correcting(visit) => Some(visit.end_at),
            State::Waiting { visit, until } => Some(visit.end_at.min(*until)),
            State::Leaving { end_at, .. } => Some(*end_at),
            State::Closing(closing) => Some(closing.until()),
            State::New | State::Over => None,
        }
    }
}

impl Menu {
    fn begin(&self, now: Instant, todo: &mut Todo) -> State {
        let end_at = now + limits::ANNOUNCEMENT;
        self.prompt(Visit { node: Private::new(ROOT), plays: 0, chose: false, end_at }, now, todo)
    }

    /// Plays the prompt of the node. A node that is not there is the end, as if somebody had chosen it.
    fn prompt(&self, visit: Visit, now: Instant, todo: &mut Todo) -> State {
        let Some(node) = self.node(&visit) else { return self.leave(&visit, Cause::Normal, now, todo) };
        todo.play(Leg::A, [node.prompt], Repeat::Once);
        State::Prompting(Visit { plays: visit.plays.saturating_add(1), ..visit })
    }

    fn prompted(&self, visit: Visit, now: Instant, todo: &mut Todo) -> State {
        match self.node(&visit) {
            Some(node) if !node.choices.is_empty() => State::Waiting { until: now + node.wait, visit },
            _ => self.leave(&visit, Cause::Normal, now, todo),
        }
    }

    fn pressed(&self, visit: Visit, digit: Private<char>, now: Instant, todo: &mut Todo) -> State {
        let key = digit.into_exposed();
        let Some(then) = self.choice(&visit, key) else { return self.correct(visit, now, todo) };
        todo.report(Leg::A, Private::new(key.to_string().into_boxed_str()));
        match then {
            Then::Node(node) => {
                self.prompt(Visit { node: Private::new(node), plays: 0, chose: true, ..visit }, now, todo)
            }
            Then::End => self.leave(&visit, Cause::Normal, now, todo),
        }
    }

    /// Says that the key leads nowhere.
    fn correct(&self, visit: Visit, now: Instant, todo: &mut Todo) -> State {
        let Some(wrong) = self.node(&visit).and_then(|node| node.wrong) else {
            return self.again(visit, now, todo);
        };
        todo.play(Leg::A, [wrong], Repeat::Once);
        State::Correcting(visit)
    }

    /// Plays the prompt once more, unless that was the last time: whoever never chose anything has pressed no key.
    fn again(&self, visit: Visit, now: Instant, todo: &mut Todo) -> State {
        if self.node(&visit).is_some_and(|node| visit.plays < node.plays) {
            return self.prompt(visit, now, todo);
        }
        let cause = if visit.chose { Cause::Normal } else { Cause::NoDigits };
        self.leave(&visit, cause, now, todo)
    }

    fn leave(&self, visit: &Visit, cause: Cause, now: Instant, todo: &mut Todo) -> State {
        let Some(bye) = self.tree.bye else { return close(now, by_platform(cause), todo) };
        todo.play(Leg::A, [bye], Repeat::Once);
        State::Leaving { cause, end_at: visit.end_at }
    }

    /// Whether the node wants a key.
    fn asks(&self, visit: &Visit) -> bool {
        self.node(visit).is_some_and(|node| !node.choices.is_empty())
    }

    fn choice(&self, visit: &Visit, key: char) -> Option<Then> {
        self.node(visit)?.choices.iter().find(|choice| choice.key == key).map(|choice| choice.then)
    }

    fn node(&self, visit: &Visit) -> Option<&MenuNode<ClipKey>> {
        self.tree.nodes.get(usize::from(*visit.node.expose()))
    }
}

fn close(now: Instant, ending: Ending, todo: &mut Todo) -> State {
    State::Closing(Closing::new(now, ending).hang_up(Leg::A, ending.by, ending.cause, todo))
}

/// Says nothing until the machine listens.
fn hold(until: Instant, todo: &mut Todo) -> State {
    todo.silence(Leg::A);
    State::Holding { until }
}

fn over(ending: Ending, todo: &mut Todo) -> State {
    todo.over(ending);
    State::Over
}

/// The node that every call begins at.
const ROOT: u8 = 0;
