//! What a check is about: how often each thing may happen, and what is done wrongly on purpose.

use crate::guards::Guards;

/// A step beside the guards that is done wrongly, to see that the check notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A transaction does not lock the post's cases before it reads them, and no unique key refuses a revision.
    NoLock,
    /// Revisions are counted for each case and not for the post.
    RevisionsOfTheCase,
    /// Whoever asks again with the same id is treated as if it were another one.
    ForgetsIds,
    /// Of a second opinion it is not asked whether its id is known.
    ForgetsOpinions,
    /// A post that comes back opens its case again.
    RedeliveryReopens,
    /// An appeal against what was undone stays open.
    UndoKeepsTheAppeal,
    /// The second review of what was undone stays open.
    UndoKeepsTheSecond,
    /// The second review of what is appealed against stays open.
    AppealKeepsTheSecond,
    /// Events are given their numbers in any order.
    NumbersInAnyOrder,
    /// Deliveries are taken in any order.
    SendsInAnyOrder,
    /// An answer that does not come is taken for one that did.
    SilenceIsDelivery,
    /// The forum applies whatever comes.
    AppliesAnyRevision,
}

/// How often each thing may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Budget {
    /// Somebody asks for a case.
    pub(crate) claims: u8,
    /// Somebody decides.
    pub(crate) decisions: u8,
    /// Somebody undoes.
    pub(crate) undos: u8,
    /// Somebody gives a case back because they would rather not decide it.
    pub(crate) skips: u8,
    /// Somebody passes a case on to a lead.
    pub(crate) escalations: u8,
    /// The author appeals.
    pub(crate) appeals: u8,
    /// A decision is drawn for a second review: the first one that may be.
    pub(crate) seconds: u8,
    /// Somebody asks for the decisions on the post.
    pub(crate) looks: u8,
    /// The forum says that the post is gone.
    pub(crate) withdrawals: u8,
    /// The post is delivered to a worker again.
    pub(crate) redeliveries: u8,
    /// The time of a claim ends.
    pub(crate) lapses: u8,
    /// An answer of the database is lost.
    pub(crate) lost: u8,
    /// The forum is cut off before it answers.
    pub(crate) cuts: u8,
    /// A sender is paused for longer than its lease.
    pub(crate) pauses: u8,
}

/// A small world.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) guards: Guards,
    pub(crate) broken: Option<Broken>,
    pub(crate) budget: Budget,
    /// Whether what has a number is delivered at once: for checks of what people do.
    pub(crate) prompt: bool,
    /// How often the case was claimed before.
    pub(crate) handed_out: u16,
}

impl Rules {
    pub(crate) fn with(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    pub(crate) fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
