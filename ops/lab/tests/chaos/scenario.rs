//! A scenario: its name, what it shows, what it needs, and how its schedule is drawn.

use crate::fault::{Dice, Step};
/// How long a run is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Short,
    Long,
}

impl Form {
    /// One number for each form.
    pub(crate) fn of(self, short: usize, long: usize) -> usize {
        if self == Self::Short { short } else { long }
    }
}

/// How it shows that the faults had an effect: a scenario that breaks nothing proves nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bites {
    /// The counts are enough.
    Unsaid,
    /// The programs said one of these.
    Said(&'static [&'static str]),
    /// The front door answered 503.
    Refusals,
    /// Connections to the front door broke.
    Breaks,
}

/// What a scenario needs besides its faults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// The programs reach the servers through proxies.
    pub(crate) proxies: bool,
    /// MariaDB's data are on a disk of limited size.
    pub(crate) small_disk: bool,
    /// The queue's limit.
    pub(crate) max_length: Option<u32>,
    /// The table refuses "sour" posts at first, and one in so many is sour.
    pub(crate) one_sour_in: Option<usize>,
    /// Sour posts are still refused at the end, so they must be dead letters then.
    pub(crate) stays_sour: bool,
    /// The workers' `--hold`.
    pub(crate) hold: &'static str,
    /// The workers' `--max-deliveries`. Every kill of a worker or a broker counts as a delivery of what was in flight,
    /// so scenarios have fewer of them than this.
    pub(crate) max_deliveries: u32,
    /// About how long a post's text is, in bytes.
    pub(crate) text: usize,
    /// How many times the usual number of posts there is: so many that workers have posts in flight at every moment.
    pub(crate) flood: usize,
    pub(crate) bites: Bites,
}

impl Needs {
    pub(crate) const fn said(self, words: &'static [&'static str]) -> Self {
        Self { bites: Bites::Said(words), ..self }
    }

    pub(crate) const fn bites(self, bites: Bites) -> Self {
        Self { bites, ..self }
    }
}

/// What most of them need: the programs' defaults.
pub(crate) const PLAIN: Needs = Needs {
    proxies: false,
    small_disk: false,
    max_length: None,
    one_sour_in: None,
    stays_sour: false,
    hold: "60s",
    max_deliveries: 5,
    text: 300,
    flood: 1,
    bites: Bites::Unsaid,
};

pub(crate) const FLOOD: Needs = Needs { flood: 3, ..PLAIN };

pub(crate) const PROXIED: Needs = Needs { proxies: true, ..PLAIN };

/// One way for a day to be bad.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) shows: &'static str,
    pub(crate) needs: Needs,
    pub(crate) plan: fn(&mut Dice, Form) -> Vec<Step>,
}

pub(crate) const fn scenario(
    name: &'static str,
    needs: Needs,
    shows: &'static str,
    plan: fn(&mut Dice, Form) -> Vec<Step>,
) -> Scenario {
    Scenario { name, shows, needs, plan }
}
