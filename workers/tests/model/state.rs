//! One moment of the whole: the queue, the workers and what they have in flight, the dead letters, MySQL.
//!
//! Workers are alike, and so are the consumers of a worker: a state is kept in one canonical order, or the same moment
//! would be looked at once for each way to number them.

use sluice_core::disposition::Class;
use sluice_rabbit::delivery::redeliveries;

use crate::rules::{Counting, Faults, Protocol};

/// A message in the work queue or in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) post: u8,
    /// The `x-delivery-count` that it was published with: a sender's, or that of a dead letter's looks.
    pub(crate) claimed: u8,
    /// How often the broker counted a return of it.
    pub(crate) returns: u8,
    /// How often it was given out and came back, counted or not.
    pub(crate) acquired: u8,
}

impl Message {
    /// A message that was just published.
    pub(crate) fn new(post: u8) -> Self {
        Self { post, claimed: 0, returns: 0, acquired: 0 }
    }

    /// What a worker that has it in flight is told of its returns, by the product's own reading of the broker's
    /// headers.
    pub(crate) fn redeliveries(self, counting: Counting) -> u8 {
        let written = |count: u8| (count > 0).then_some(u64::from(count));
        let acquired = match counting {
            Counting::EachReturn => None,
            Counting::EndsOnly => written(self.acquired),
        };
        let count = written(self.returns).or(written(self.claimed));
        u8::try_from(redeliveries(self.acquired > 0, count, acquired)).unwrap_or(u8::MAX)
    }
}

/// How a delivery is to be answered: the product's `Settlement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Answer {
    Ack,
    Release,
    Republish,
    DeadLetter(Class),
}

/// How far a delivery in flight has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Not looked at yet.
    Taken,
    /// Before the gate, at the beginning of an attempt.
    AtGate,
    /// Between two attempts.
    Backoff,
    /// Its insert is under way.
    Inserting,
    /// Its row is there, and the answer on its way.
    Committed,
    /// To be settled.
    Settling(Answer),
    /// Its dead letter, or its copy in the work queue, is confirmed; to be acknowledged.
    Confirmed,
}

/// A delivery in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InFlight {
    pub(crate) message: Message,
    pub(crate) stage: Stage,
    /// `Attempts::made`.
    pub(crate) made: u8,
    /// How often it really failed alone. The product does not know this number; the check does.
    pub(crate) faults: u8,
    /// Through how many pauses it has been held, without a steady opening in between. Only the check knows.
    pub(crate) held: u8,
    /// The broker has taken the delivery back or forgotten it: an answer is never sent.
    pub(crate) gone: bool,
}

/// A session with the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Session {
    /// Its consumers are not cancelled.
    pub(crate) taking: bool,
    /// Nothing more may be waited for.
    pub(crate) withdrawn: bool,
    /// The process ends after it.
    pub(crate) stopping: bool,
    /// The posts that were released in it, by their bits.
    pub(crate) released: u8,
}

/// A worker process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Worker {
    pub(crate) alive: bool,
    pub(crate) gate_open: bool,
    /// The pauses of this session without a steady opening in between: what `Gate::closed_for` goes by.
    pub(crate) pauses: u8,
    pub(crate) session: Option<Session>,
    pub(crate) consumers: Vec<Option<InFlight>>,
}

/// Where a replay of a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Replay {
    /// Nobody acts on it.
    None,
    /// Its copy is confirmed; the dead letter is to be removed.
    Copied,
    /// Only done wrongly: the dead letter is removed and its copy not yet published.
    OnlyInFlight,
}

/// A dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DeadLetter {
    pub(crate) post: u8,
    pub(crate) class: Class,
    /// The faults of its post while it was last in flight.
    pub(crate) faults: u8,
    pub(crate) replay: Replay,
}

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) ready: Vec<Message>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) dead: Vec<DeadLetter>,
    /// How many rows each post has.
    pub(crate) rows: Vec<u8>,
    /// Posts whose insert nobody waits for any more, but which may still be committed.
    pub(crate) adrift: Vec<bool>,
    pub(crate) mysql: bool,
    pub(crate) left: Faults,
    /// A delivery was acknowledged that was neither recorded nor confirmed as a dead letter.
    pub(crate) unfounded_ack: bool,
    /// A released post came back to the session that released it.
    pub(crate) came_straight_back: bool,
    /// A gate was closed though MySQL took plain rows.
    pub(crate) stopped_for_one: bool,
}

impl State {
    /// All posts accepted, all workers started.
    pub(crate) fn first(protocol: &Protocol) -> Self {
        let posts = u8::try_from(protocol.posts.len()).expect("a few posts");
        let consumers = vec![None; protocol.consumers];
        let worker = Worker { alive: true, gate_open: true, pauses: 0, session: None, consumers };
        Self {
            ready: (0..posts).map(Message::new).collect(),
            workers: vec![worker; protocol.workers],
            dead: Vec::new(),
            rows: vec![0; posts.into()],
            adrift: vec![false; posts.into()],
            mysql: true,
            left: protocol.faults,
            unfounded_ack: false,
            came_straight_back: false,
            stopped_for_one: false,
        }
    }

    /// The same moment in its canonical order.
    pub(crate) fn ordered(mut self) -> Self {
        for worker in &mut self.workers {
            worker.consumers.sort_unstable();
        }
        self.workers.sort_unstable();
        self.ready.sort_unstable();
        self.dead.sort_unstable();
        self
    }

    /// All that is in flight.
    pub(crate) fn all_in_flight(&self) -> impl Iterator<Item = &InFlight> {
        self.workers.iter().flat_map(|worker| worker.consumers.iter().flatten())
    }

    /// Whether a post is anywhere at all.
    pub(crate) fn has(&self, post: u8) -> bool {
        self.rows[usize::from(post)] > 0
            || self.ready.iter().any(|message| message.post == post)
            || self.all_in_flight().any(|in_flight| in_flight.message.post == post && !in_flight.gone)
            || self
                .dead
                .iter()
                .any(|dead_letter| dead_letter.post == post && dead_letter.replay != Replay::OnlyInFlight)
    }
}
