//! What must hold in every state that can be reached, and what must be reachable so that the check says anything.

use sluice_core::verdict::Verdict;
use stateright::{Model, Property};

use crate::action::Action;
use crate::rules::Rules;
use crate::state::{APPEAL, HELD, SECOND, State};
use crate::step::Step;

pub(crate) const FORUM: &str = "once everything is delivered, the forum's last word is ours";
pub(crate) const SAME: &str = "no two decisions have the same revision";
pub(crate) const GAPS: &str = "revisions are 1, 2, 3 and so on without gaps";
pub(crate) const FENCED: &str = "nobody who was fenced out decides, or gives back";
pub(crate) const REOPENED: &str = "a decided case is opened by nothing but an undo";
pub(crate) const DECIDED: &str = "nobody claims, decides or gives back what is decided";
pub(crate) const GONE: &str = "nothing is done to a case whose post is gone";
pub(crate) const OWN: &str = "an appeal is never decided by whom it is against";
pub(crate) const OWN_CLAIM: &str = "nor claimed";
pub(crate) const TAKEN: &str = "a claim that lives is taken by nobody else";
pub(crate) const LEAD: &str = "what waits for a lead is for a lead";
pub(crate) const LONG: &str = "what was handed out too often waits for a lead";
pub(crate) const LAST: &str = "only the last decision is undone";
pub(crate) const UNDONE: &str = "an undo is not undone";
pub(crate) const YOURS: &str = "a decision is undone by its decider or a lead";
pub(crate) const BACK: &str = "an undo brings back what stood before";
pub(crate) const TOLD: &str = "whoever is told that it was refused has decided nothing";
pub(crate) const UNSEEN: &str = "nobody who has seen the first decision gives a second opinion on it";
pub(crate) const ONCE: &str = "a second opinion is given once";
pub(crate) const CLOSES: &str = "a second opinion that agrees closes the review, and one that differs is for a lead";
pub(crate) const QUIET: &str =
    "a second review changes what stands only by a lead who was asked because of a difference";
pub(crate) const DRAWN: &str = "only a moderator's decision on the held post is drawn";
pub(crate) const AGAINST: &str = "an open appeal is against what stands";
pub(crate) const OF_WHAT_STANDS: &str = "an open second review is of what stands, and beside no appeal";
pub(crate) const ORDER: &str = "the forum hears of no event before those that came before it";
pub(crate) const SETTLED: &str = "what can go no further is settled";
/// Reached in some run, or the others would hold for want of anything that happens.
pub(crate) const DONE: &str = "a decision is delivered";

/// Those that a step notices.
const NOTICED: [&str; 20] = [
    FENCED, REOPENED, DECIDED, GONE, OWN, OWN_CLAIM, TAKEN, LEAD, LONG, LAST, UNDONE, YOURS, BACK, TOLD, ORDER, UNSEEN,
    ONCE, CLOSES, QUIET, DRAWN,
];

impl Model for Rules {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        Action::all(self, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(Step::after(self, state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let noticed: [fn(&Self, &State) -> bool; 20] = [
            |_, state| state.wrong != Some(NOTICED[0]),
            |_, state| state.wrong != Some(NOTICED[1]),
            |_, state| state.wrong != Some(NOTICED[2]),
            |_, state| state.wrong != Some(NOTICED[3]),
            |_, state| state.wrong != Some(NOTICED[4]),
            |_, state| state.wrong != Some(NOTICED[5]),
            |_, state| state.wrong != Some(NOTICED[6]),
            |_, state| state.wrong != Some(NOTICED[7]),
            |_, state| state.wrong != Some(NOTICED[8]),
            |_, state| state.wrong != Some(NOTICED[9]),
            |_, state| state.wrong != Some(NOTICED[10]),
            |_, state| state.wrong != Some(NOTICED[11]),
            |_, state| state.wrong != Some(NOTICED[12]),
            |_, state| state.wrong != Some(NOTICED[13]),
            |_, state| state.wrong != Some(NOTICED[14]),
            |_, state| state.wrong != Some(NOTICED[15]),
            |_, state| state.wrong != Some(NOTICED[16]),
            |_, state| state.wrong != Some(NOTICED[17]),
            |_, state| state.wrong != Some(NOTICED[18]),
            |_, state| state.wrong != Some(NOTICED[19]),
        ];
        let mut properties: Vec<Property<Self>> =
            NOTICED.into_iter().zip(noticed).map(|(name, kept)| Property::always(name, kept)).collect();
        properties.extend([
            Property::always(FORUM, |rules: &Self, state: &State| {
                !state.all_delivered() || state.forum.verdict == ours(rules, state)
            }),
            Property::always(SAME, |_, state: &State| {
                let revision = |place: usize| state.decisions[place].revision;
                (1..state.decisions.len()).all(|place| (0..place).all(|other| revision(place) != revision(other)))
            }),
            Property::always(GAPS, |_, state: &State| {
                (1..).zip(&state.decisions).all(|(wanted, decision)| decision.revision == wanted)
            }),
            Property::always(AGAINST, |_, state: &State| against_what_stands(state)),
            Property::always(OF_WHAT_STANDS, |_, state: &State| of_what_stands(state)),
            Property::always(SETTLED, |rules: &Self, state: &State| {
                rules.goes_on(state) || state.wrong.is_some() || settled(state)
            }),
            Property::sometimes(DONE, |_, state: &State| !state.decisions.is_empty() && state.all_delivered()),
        ]);
        properties
    }
}

/// What stands, in the product's words.
fn ours(rules: &Rules, state: &State) -> Verdict {
    (rules.guards.standing)(Verdict::Held, state.last().map(|last| last.verdict))
}

/// The held post was not decided again since.
fn against_what_stands(state: &State) -> bool {
    let open = state.cases[usize::from(APPEAL)].filter(|appeal| appeal.state.is_open());
    let Some(of) = open.and_then(|appeal| appeal.of) else { return true };
    state.decisions.iter().all(|decision| decision.case != HELD || decision.revision <= of)
}

/// Nothing but a lead's decision on the second review itself came since, and no appeal looks at the same decision.
fn of_what_stands(state: &State) -> bool {
    let open = |case: u8| state.cases[usize::from(case)].filter(|row| row.state.is_open()).and_then(|row| row.of);
    let Some(of) = open(SECOND) else { return true };
    open(APPEAL) != Some(of)
        && state.decisions.iter().all(|decision| decision.case == SECOND || decision.revision <= of)
}

/// Nobody waits for an answer, and the forum knows everything.
fn settled(state: &State) -> bool {
    state.people.iter().all(|person| person.asked.is_none())
        && state.senders.iter().all(Option::is_none)
        && state.all_delivered()
}

impl Rules {
    /// Whether something happens even if nothing more goes wrong and nobody does anything more.
    fn goes_on(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        Action::all(self, state, &mut actions);
        actions.iter().any(|action| !action.is_fault())
    }

    /// The states after this one if nothing more goes wrong and nobody does anything more.
    pub(crate) fn undisturbed(&self, state: &State) -> Vec<State> {
        let mut actions = Vec::new();
        Action::all(self, state, &mut actions);
        actions.into_iter().filter(|action| !action.is_fault()).map(|action| Step::after(self, state, action)).collect()
    }
}
