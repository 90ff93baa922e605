//! What goes wrong, and the schedule of it. A schedule is drawn from a seed before anything starts, so that the same
//! seed breaks the same things in the same order and for as long.

use std::fmt;
use std::time::Duration;

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Mysql,
    Rabbitmq,
}

/// One of the connections that go through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkLine {
    WorkersToMysql,
    WorkersToRabbitmq,
    ProducersToRabbitmq,
}

/// Something that is done to the system while it works. What lasts is fixed by the same fault after its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// SIGKILL of one worker process; its number is taken modulo how many there are.
    KillWorker(usize),
    /// SIGKILL of the process that was started, which with several processes watches over the others.
    KillSupervisor { down_for: Duration },
    /// SIGSTOP, then SIGCONT.
    FreezeWorker { victim: usize, lasting: Duration },
    /// SIGTERM of all workers, which must end in order, and new ones.
    RestartWorkers { down_for: Duration },
    /// SIGKILL of the front door and of `sluice-producer publish`.
    KillProducers { down_for: Duration },
    /// SIGTERM of the front door, which must end in order.
    RestartProducer { down_for: Duration },
    /// SIGKILL of a server.
    Kill { server: Server, down_for: Duration },
    /// An orderly stop of a server.
    Restart { server: Server, down_for: Duration },
    /// SIGSTOP of a server: it keeps its connections and says nothing.
    Freeze { server: Server, lasting: Duration },
    /// Connections are reset, and each new one.
    Cut { line: NetworkLine, lasting: Duration },
    /// Packets are dropped: connections stay, nothing passes.
    Stall { line: NetworkLine, lasting: Duration },
    /// Each piece of up to 16 KiB is held back, both ways.
    Slow { line: NetworkLine, delay: Duration, lasting: Duration },
    /// `SET GLOBAL read_only`.
    ReadOnly { lasting: Duration },
    /// `max_connections` are taken by others, and the workers' own are ended.
    UsedUpConnections { lasting: Duration },
    /// The broker's memory alarm: it takes nothing from those who publish.
    MemoryAlarm { lasting: Duration },
    /// Not a byte is left on MariaDB's disk.
    FullDisk { lasting: Duration },
    /// Messages that are no posts, from a stranger.
    Malformed { messages: usize },
    /// The table takes again what it refused.
    Repair,
    /// `sluice dlq replay --all --yes`, killed so long after its start.
    KillReplay { after: Duration },
    /// The same to its end, until no dead letter is left.
    Replay,
}

impl Fault {
    /// Whether worker processes end by it.
    pub(crate) fn ends_workers(self) -> bool {
        matches!(self, Self::KillWorker(_) | Self::KillSupervisor { .. } | Self::RestartWorkers { .. })
    }

    /// Whether the front door ends by it.
    pub(crate) fn ends_producer(self) -> bool {
        matches!(self, Self::KillProducers { .. } | Self::RestartProducer { .. })
    }

    /// How long it takes at the least, for the pace of the load.
    pub(crate) fn lasts(self) -> Duration {
        match self {
            Self::KillSupervisor { down_for: time }
            | Self::FreezeWorker { lasting: time, .. }
            | Self::RestartWorkers { down_for: time }
            | Self::KillProducers { down_for: time }
            | Self::RestartProducer { down_for: time }
            | Self::Kill { down_for: time, .. }
            | Self::Restart { down_for: time, .. }
            | Self::Freeze { lasting: time, .. }
            | Self::Cut { lasting: time, .. }
            | Self::Stall { lasting: time, .. }
            | Self::Slow { lasting: time, .. }
            | Self::ReadOnly { lasting: time }
            | Self::UsedUpConnections { lasting: time }
            | Self::MemoryAlarm { lasting: time }
            | Self::FullDisk { lasting: time }
            | Self::KillReplay { after: time } => time,
            Self::KillWorker(_) | Self::Malformed { .. } | Self::Repair | Self::Replay => Duration::ZERO,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillWorker(victim) => write!(f, "SIGKILL worker {victim}"),
            Self::KillSupervisor { down_for } => write!(f, "SIGKILL the first worker process, away {down_for:.1?}"),
            Self::FreezeWorker { victim, lasting } => write!(f, "SIGSTOP worker {victim} for {lasting:.1?}"),
            Self::RestartWorkers { down_for } => write!(f, "SIGTERM the workers, away {down_for:.1?}"),
            Self::KillProducers { down_for } => write!(f, "SIGKILL the producers, away {down_for:.1?}"),
            Self::RestartProducer { down_for } => write!(f, "SIGTERM the front door, away {down_for:.1?}"),
            Self::Kill { server, down_for } => write!(f, "SIGKILL {server:?}, away {down_for:.1?}"),
            Self::Restart { server, down_for } => write!(f, "stop {server:?}, away {down_for:.1?}"),
            Self::Freeze { server, lasting } => write!(f, "SIGSTOP {server:?} for {lasting:.1?}"),
            Self::Cut { line, lasting } => write!(f, "cut {line:?} for {lasting:.1?}"),
            Self::Stall { line, lasting } => write!(f, "drop packets {line:?} for {lasting:.1?}"),
            Self::Slow { line, delay, lasting } => write!(f, "slow {line:?} by {delay:.1?} for {lasting:.1?}"),
            Self::ReadOnly { lasting } => write!(f, "MySQL read-only for {lasting:.1?}"),
            Self::UsedUpConnections { lasting } => write!(f, "no MySQL connection free for {lasting:.1?}"),
            Self::MemoryAlarm { lasting } => write!(f, "memory alarm for {lasting:.1?}"),
            Self::FullDisk { lasting } => write!(f, "MySQL's disk full for {lasting:.1?}"),
            Self::Malformed { messages } => write!(f, "{messages} messages that are no posts"),
            Self::Repair => write!(f, "the table takes sour posts"),
            Self::KillReplay { after } => write!(f, "replay, SIGKILL after {after:.1?}"),
            Self::Replay => write!(f, "replay until none is dead"),
        }
    }
}

/// A fault and the quiet time before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) quiet: Duration,
    pub(crate) fault: Fault,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:.1?} {}", self.quiet, self.fault)
    }
}

/// Draws what a schedule needs from the seed.
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    /// The dice of one run: each scenario and number of processes has its own, so one can be repeated alone.
    pub(crate) fn new(seed: u64, scenario: &str, processes: u16) -> Self {
        let name = scenario
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(fastrand::Rng::with_seed(seed ^ name ^ u64::from(processes)))
    }

    /// A time between two numbers of seconds.
    pub(crate) fn seconds(&mut self, from: f64, to: f64) -> Duration {
        Duration::from_secs_f64(from + self.0.f64() * (to - from))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    /// So many times a quiet time and a fault.
    pub(crate) fn rounds(&mut self, rounds: usize, mut fault: impl FnMut(&mut Self) -> Fault) -> Vec<Step> {
        (0..rounds).map(|_| Step { quiet: self.seconds(0.8, 3.0), fault: fault(self) }).collect()
    }
}

#[test]
fn the_same_seed_gives_the_same_schedule_and_another_one_another() {
    let draw = |seed| {
        let mut dice = Dice::new(seed, "x", 4);
        dice.rounds(5, |dice| Fault::KillSupervisor { down_for: dice.seconds(0.0, 2.0) })
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}
