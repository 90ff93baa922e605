//! What a check is about: how many of everything, what may go wrong how often, and which step is done wrongly on
//! purpose.

use std::time::Duration;

use sluice_core::failure::Kind;
use sluice_core::retry::RetryPolicy;

/// What a post is like. The workers do not know it beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// It can be stored.
    Sound,
    /// Its message is no post.
    Malformed,
    /// MySQL refuses its row, for a reason of its own.
    Refused,
    /// Its row alone meets an error that looks like an outage, or like an operator's mistake: a trigger that sleeps, or
    /// that names a missing table, for its author.
    Poisonous(Kind),
    /// Whoever touches it dies.
    Deadly,
}

/// What the broker counts as a return of a message (docs/LIFECYCLE.md, "What counts as a delivery").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// RabbitMQ 3.10 and 4.0: each of them.
    EachReturn,
    /// RabbitMQ 4.3: those by the end of a channel or connection, not those given back by a worker.
    EndsOnly,
}

/// A step of the protocol done wrongly, to see that the check notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The delivery is acknowledged when the insert is sent, not when it is answered.
    AckBeforeCommit,
    /// A dead post is acknowledged before its dead letter is confirmed.
    AckBeforeConfirm,
    /// What is held is released while the consumers still take.
    ReleaseBeforeCancel,
    /// The attempt that met an outage counts.
    OutageSpendsAnAttempt,
    /// A replay takes the dead letter out first and then publishes.
    ReplayAcksFirst,
    /// What is released is released however often it came back already.
    EachReleaseCounts,
    /// A post whose dead letter is not taken is released however often it came back already.
    AnUntakenDeadLetterIsReleased,
    /// A count of returns is believed that the broker has not written.
    AnyCountIsBelieved,
    /// The row's key is not the post's id.
    EachDeliveryItsOwnKey,
    /// Whom a failure hits is taken from its code, and the table is not asked.
    BelievesTheCode,
    /// Each opening of the gate begins the hold anew.
    FlapRestartsTheHold,
}

/// How often each thing may still go wrong (or be done by people).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Faults {
    /// SIGKILL of a worker process.
    pub(crate) kills: u8,
    /// A session with the broker that breaks, the process living on.
    pub(crate) breaks: u8,
    /// SIGTERM.
    pub(crate) stops: u8,
    /// MySQL goes away.
    pub(crate) outages: u8,
    /// An insert meets a deadlock.
    pub(crate) deadlocks: u8,
    /// An answer of MySQL or a confirm of the broker that never comes.
    pub(crate) lost: u8,
    /// A sender sends the same post again.
    pub(crate) duplicates: u8,
    /// An operator replays a dead letter.
    pub(crate) replays: u8,
    /// The operator's program is killed in the middle of it.
    pub(crate) lapses: u8,
    /// A dead letter is moved back to work by the broker's own means.
    pub(crate) moves: u8,
}

/// One check.
#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    pub(crate) posts: Vec<Nature>,
    pub(crate) workers: usize,
    /// Consumers of each worker, one post in flight each.
    pub(crate) consumers: usize,
    /// `SLUICE_MAX_DELIVERIES`.
    pub(crate) max_deliveries: u8,
    /// The product's own policy: only `allows_another` is asked.
    pub(crate) retry: RetryPolicy,
    pub(crate) counting: Counting,
    /// What the code of an insert's failure says while MySQL is down: an outage may have any.
    pub(crate) outage: Kind,
    /// `SLUICE_HOLD`, in pauses: after so many without a steady opening in between what is held is released.
    pub(crate) hold: u8,
    pub(crate) faults: Faults,
    pub(crate) broken: Option<Broken>,
}

impl Protocol {
    /// Two workers of one consumer each, the product's defaults, and nothing that goes wrong.
    pub(crate) fn new(posts: &[Nature]) -> Self {
        Self {
            posts: posts.to_vec(),
            workers: 2,
            consumers: 1,
            max_deliveries: 5,
            retry: RetryPolicy { max_attempts: Some(2), ..RetryPolicy::forever(Duration::ZERO, Duration::ZERO) },
            counting: Counting::EachReturn,
            outage: Kind::Dependency,
            hold: 1,
            faults: Faults::default(),
            broken: None,
        }
    }

    pub(crate) fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    /// Whether its row can be stored.
    pub(crate) fn can_be_stored(&self, post: u8) -> bool {
        matches!(self.nature(post), Nature::Sound | Nature::Deadly)
    }

    pub(crate) fn nature(&self, post: u8) -> Nature {
        self.posts[usize::from(post)]
    }
}
