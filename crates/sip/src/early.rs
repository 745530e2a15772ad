//! Early media: what a branch may be heard saying before the answer, and which branch of several is heard (RFC 5009).

use smallvec::SmallVec;

use crate::event::Fork;
use crate::message::{Message, Name};

/// What the network allows of early media, from the P-Early-Media header of the callee's side (RFC 5009 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyMedia {
    /// `sendrecv`: the callee may be heard, and may hear us.
    SendRecv,
    /// `sendonly`: the callee may be heard.
    SendOnly,
    /// `recvonly`: the callee may hear us.
    RecvOnly,
    /// `inactive`: neither.
    Inactive,
}

impl EarlyMedia {
    /// What a message says of its first media line. `None` where it says nothing, as most trunks do.
    pub(crate) fn of(message: &Message<'_>) -> Option<Self> {
        message.headers(Name::PEarlyMedia).take(PARAMS_MAX).find_map(|param| {
            let known = [
                ("sendrecv", Self::SendRecv),
                ("sendonly", Self::SendOnly),
                ("recvonly", Self::RecvOnly),
                ("inactive", Self::Inactive),
            ];
            let is = |word: &str| param.eq_ignore_ascii_case(word.as_bytes());
            known.into_iter().find(|(word, _)| is(word)).map(|(_, allowed)| allowed)
        })
    }

    /// Whether the callee may be heard.
    #[must_use]
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }
}

/// The branches of one call before its answer, and which of them is heard.
///
/// A branch that the network allows comes before one of which nothing is said; of equals the newest is heard, because
/// a call that is forwarded to an announcement says so by its newest branch. A branch without a session description,
/// or one that the network mutes, is never heard.
#[derive(Clone, Debug, Default)]
pub struct EarlyBranches {
    branches: SmallVec<[Branch; 2]>,
    news: u32,
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    fork: Fork,
    described: bool,
    allowed: Option<EarlyMedia>,
    /// When it last had a new description or permission, counted in news.
    newest: u32,
}

impl EarlyBranches {
    /// A branch has told something: an [`Event::Early`](crate::Event::Early) or an
    /// [`Event::EarlyMedia`](crate::Event::EarlyMedia). Gives who is heard from now on.
    pub fn on_news(&mut self, fork: Fork, described: bool, allowed: Option<EarlyMedia>) -> Option<Fork> {
        self.news += 1;
        let news = self.news;
        let branch = match self.branches.iter_mut().find(|branch| branch.fork == fork) {
            Some(branch) => branch,
            None => {
                // Forks are bounded by their number, which is a byte.
                self.branches.push(Branch { fork, described: false, allowed: None, newest: 0 });
                self.branches.last_mut()?
            }
        };
        if (described && !branch.described) || (allowed.is_some() && branch.allowed != allowed) {
            branch.newest = news;
        }
        branch.described |= described;
        branch.allowed = allowed.or(branch.allowed);
        self.heard()
    }

    /// Who is heard. `None`: nobody, so that the caller needs a ring-back tone of our own.
    #[must_use]
    pub fn heard(&self) -> Option<Fork> {
        let loud = |branch: &&Branch| branch.described && branch.allowed.is_none_or(EarlyMedia::is_heard);
        let best = self.branches.iter().filter(loud);
        best.max_by_key(|branch| (branch.allowed.is_some(), branch.newest)).map(|branch| branch.fork)
    }
}

/// Parameters looked at in one message: a few media lines, `gated` and `supported`.
const PARAMS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const A: Fork = Fork(0);
    const B: Fork = Fork(1);

    #[test]
    fn the_newest_described_branch_is_heard() {
        let mut early = EarlyBranches::default();
        assert_eq!(early.on_news(A, false, None), None, "a 180 without a description is no media");
        assert_eq!(early.on_news(A, true, None), Some(A));
        assert_eq!(early.on_news(B, true, None), Some(B));
        assert_eq!(early.on_news(A, true, None), Some(B), "repeating itself makes nobody news");
    }

    #[test]
    fn what_the_network_allows_comes_before_what_it_does_not_mention() {
        let mut early = EarlyBranches::default();
        assert_eq!(early.on_news(A, true, Some(EarlyMedia::SendOnly)), Some(A));
        assert_eq!(early.on_news(B, true, None), Some(A));
        assert_eq!(early.on_news(B, false, Some(EarlyMedia::SendRecv)), Some(B));
        assert_eq!(early.on_news(B, false, Some(EarlyMedia::Inactive)), Some(A));
        assert_eq!(early.on_news(A, false, Some(EarlyMedia::RecvOnly)), None);
    }
}
