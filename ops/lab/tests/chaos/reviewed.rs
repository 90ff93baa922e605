//! The account of people's review at the end of each run, without Sluice's own code: each held row has exactly one
//! case, each decision that was promised is there and no other, and the feed tells each post's story in order.

use std::collections::{BTreeMap, HashMap, HashSet};

use mysql_async::prelude::Queryable as _;
use uuid::Uuid;

use crate::moderators::{Desk, Word};
use crate::stage::Stage;

/// What a run showed of people's review.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reviewed {
    pub(crate) cases: u64,
    pub(crate) decisions: u64,
    /// Decisions that were promised and are not there.
    pub(crate) lost: u64,
}

/// A row of decisions: its id, its post, its revision.
type Made = (String, String, u32);
/// An event: its place, its id, its post, its revision.
type Told = (Option<u64>, String, String, u32);

/// Holds what is there against what was said. Nothing runs any more but the servers.
pub(crate) async fn account(stage: &Stage<'_>, desk: &Desk) -> Reviewed {
    let store = stage.ground.store();
    // What was decided last may have no place yet.
    while store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    let mut session = stage.ground.session().await;
    let amiss: Vec<String> = session
        .query(
            "SELECT p.id FROM posts p LEFT JOIN review_cases c ON c.post = p.id \
             GROUP BY p.id, p.verdict HAVING COUNT(c.id) <> (p.verdict = 'held')",
        )
        .await
        .expect("the tables are there");
    let cases: Vec<String> = session.query("SELECT id FROM review_cases").await.expect("the table is there");
    let made: Vec<Made> = session
        .query("SELECT id, post, revision FROM review_decisions ORDER BY post, revision")
        .await
        .expect("the table is there");
    let told: Vec<Told> = session
        .query("SELECT seq, decision, post, revision FROM decision_outbox ORDER BY seq")
        .await
        .expect("the table is there");
    let (reviewed, mut problems) = reckon(&cases, &made, &told, &desk.asked());
    if !amiss.is_empty() {
        problems.push(format!("{} posts have not the cases they should, the first: {}", amiss.len(), amiss[0]));
    }
    problems.into_iter().for_each(|problem| stage.problem(problem));
    reviewed
}

fn reckon(cases: &[String], made: &[Made], told: &[Told], asked: &[(Uuid, Word)]) -> (Reviewed, Vec<String>) {
    let mut problems = Vec::new();
    let there: HashSet<&str> = made.iter().map(|(id, ..)| id.as_str()).collect();
    let known: HashMap<String, Word> = asked.iter().map(|(id, word)| (id.to_string(), *word)).collect();
    let lost = known.iter().filter(|(id, word)| **word == Word::Made && !there.contains(id.as_str())).count();
    if lost > 0 {
        problems.push(format!("{lost} decisions that were promised are not there"));
    }
    for (id, post, _) in made {
        match known.get(id) {
            Some(Word::Made | Word::Unknown) => {}
            Some(Word::Refused) => problems.push(format!("decision {id} on {post} was refused, and is there")),
            None => problems.push(format!("decision {id} on {post} was made by nobody")),
        }
    }
    let mut revisions: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    made.iter().for_each(|(_, post, revision)| revisions.entry(post).or_default().push(*revision));
    for (post, revisions) in revisions {
        if !revisions.iter().copied().eq(1..=u32::try_from(revisions.len()).unwrap_or(u32::MAX)) {
            problems.push(format!("the revisions of {post} have gaps: {revisions:?}"));
        }
    }
    let events: HashSet<&str> = told.iter().map(|(_, id, ..)| id.as_str()).collect();
    let wanted: HashSet<&str> = cases.iter().map(String::as_str).chain(there).collect();
    if events != wanted || told.len() != wanted.len() {
        problems.push(format!("{} events of {} cases and decisions", told.len(), wanted.len()));
    }
    let mut last: HashMap<&str, u32> = HashMap::new();
    for (seq, id, post, revision) in told {
        let before = last.insert(post, *revision);
        if seq.is_none() || before.is_some_and(|before| before >= *revision) {
            problems.push(format!("event {id} of {post} has the place {seq:?}, revision {revision} after {before:?}"));
        }
    }
    (Reviewed { cases: cases.len() as u64, decisions: made.len() as u64, lost: lost as u64 }, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case, two decisions on it, their events, and what was said of them.
    type Well = (Vec<String>, Vec<Made>, Vec<Told>, Vec<(Uuid, Word)>);

    fn well() -> Well {
        let (case, post) = (Uuid::now_v7().to_string(), "post".to_owned());
        let ids = [Uuid::now_v7(), Uuid::now_v7()];
        let made: Vec<Made> = (1..).zip(ids).map(|(revision, id)| (id.to_string(), post.clone(), revision)).collect();
        let mut told = vec![(Some(1), case.clone(), post, 0)];
        told.extend(
            (2..).zip(&made).map(|(seq, (id, post, revision))| (Some(seq), id.clone(), post.clone(), *revision)),
        );
        (vec![case], made, told, vec![(ids[0], Word::Made), (ids[1], Word::Unknown)])
    }

    #[test]
    fn what_was_promised_and_is_told_in_order_is_well_and_each_lapse_is_found() {
        let (cases, made, told, asked) = well();
        assert_eq!(reckon(&cases, &made, &told, &asked).1, Vec::<String>::new());
        type Plant = fn(&mut Well);
        let planted: [(&str, Plant); 7] = [
            ("promised", |well| {
                well.1.remove(0);
            }),
            ("by nobody", |well| {
                well.3.pop();
            }),
            ("was refused", |well| well.3[1].1 = Word::Refused),
            ("gaps", |well| well.1[1].2 = 3),
            ("events of", |well| {
                well.2.pop();
            }),
            ("has the place", |well| well.2.swap(1, 2)),
            ("has the place", |well| well.2[2].0 = None),
        ];
        for (words, plant) in planted {
            let mut well = well();
            plant(&mut well);
            let (_, problems) = reckon(&well.0, &well.1, &well.2, &well.3);
            assert!(problems.iter().any(|problem| problem.contains(words)), "{words}: {problems:?}");
        }
    }
}
