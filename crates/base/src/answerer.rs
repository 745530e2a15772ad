//! Who picks up a telephone: a person, or a machine that takes messages.

use serde::{Deserialize, Serialize};

/// Who or what has picked up, as far as it can be heard. Told of a leg at most twice: a machine that has greeted may
/// want its message later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answerer {
    /// A person: a few words, and then they listen.
    Person,
    /// A machine: it talks on and on.
    Machine,
    /// A machine that has said all, and beeped: what is said to it from now on is kept.
    Beep,
    /// It could not be told in time, or nothing was heard.
    Unsure,
}

/// What is done about machines that pick up where we talk to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMachine {
    /// Nobody listens who picks up.
    #[default]
    Off,
    /// It is noted; the call goes on as with a person.
    Note,
    /// It is noted, and the call ends.
    HangUp,
    /// It is noted; what there is to say begins anew when the machine wants its message.
    LeaveMessage,
}
