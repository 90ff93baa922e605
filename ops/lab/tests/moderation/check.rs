//! Runs a check, and says how large it was.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Path};

use crate::action::Action;
use crate::property::DONE;
use crate::rules::Rules;
use crate::state::State;

/// Looks at every state that can be reached.
///
/// # Panics
/// When a property does not hold; shows a way to where it does not.
pub(crate) fn holds(name: &str, rules: Rules) {
    let begun = Instant::now();
    let checker = rules.checker().spawn_bfs().join();
    println!("{name}: {} states in {:.1?}", checker.unique_state_count(), begun.elapsed());
    let mut found = checker.discoveries();
    assert!(found.remove(DONE).is_some(), "{name}: nothing was ever done, so nothing was checked");
    if let Some((property, path)) = found.into_iter().next() {
        panic!("{name}: not so: {property}\n{}", told(&path));
    }
}

/// Looks for a way to where the property does not hold.
///
/// # Panics
/// When it holds in every state.
pub(crate) fn refuted(name: &str, rules: Rules, property: &'static str) {
    let finish = HasDiscoveries::AnyOf([property].into_iter().collect());
    let checker = rules.checker().finish_when(finish).spawn_bfs().join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("{name}: no way was found to break: {property}"));
    println!("{name}: not so: {property}\n{}", told(&path));
}

/// That no run goes on for ever once nothing more goes wrong: each step leads to a state that never leads back.
/// Together with "what can go no further is settled" this is "in the end the forum's last word is ours".
///
/// # Panics
/// When there is a run without an end.
pub(crate) fn ends(name: &str, rules: &Rules) {
    let mut seen: HashMap<State, bool> = HashMap::new();
    let mut every = vec![State::first(rules)];
    // Every state there is may be the one after which nothing more goes wrong.
    while let Some(state) = every.pop() {
        if seen.contains_key(&state) {
            continue;
        }
        every.extend(rules.next_states(&state));
        seen.insert(state, false);
    }
    for state in seen.keys().cloned().collect::<Vec<_>>() {
        walk(name, rules, state, &mut seen);
    }
    println!("{name}: no run without an end from {} states", seen.len());
}

/// Depth first; a state is marked once all that follows from it has an end.
fn walk(name: &str, rules: &Rules, from: State, ended: &mut HashMap<State, bool>) {
    if ended[&from] {
        return;
    }
    let mut path = vec![(from.clone(), rules.undisturbed(&from))];
    let mut on_path: HashSet<State> = [from].into();
    while let Some((_, open)) = path.last_mut() {
        match open.pop() {
            Some(next) if ended[&next] => {}
            Some(next) => {
                assert!(on_path.insert(next.clone()), "{name}: a run without an end comes back to {next:#?}");
                let open = rules.undisturbed(&next);
                path.push((next, open));
            }
            None => {
                let (state, _) = path.pop().expect("there is a last one");
                on_path.remove(&state);
                ended.insert(state, true);
            }
        }
    }
}

/// One action a line, and where it ended.
fn told(path: &Path<State, Action>) -> String {
    let mut lines: Vec<String> = path.clone().into_actions().iter().map(|action| format!("  {action:?}")).collect();
    lines.push(format!("  {:?}", path.last_state()));
    lines.join("\n")
}
