//! What is there, held against what was sent. Pure functions.

use std::collections::{HashMap, HashSet};

use sluice_core::disposition::Class;
use sluice_core::post::PostId;

use crate::load::Sent;

/// A row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: PostId,
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) recorded_at: i64,
}

/// Where everything was found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) in_doubt: u64,
    pub(crate) in_doubt_recorded: u64,
    pub(crate) recorded: u64,
    pub(crate) dead: u64,
    pub(crate) missing: u64,
    pub(crate) doubled: u64,
    /// When rows were stored, in microseconds since 1970, in order.
    pub(crate) recorded_at: Vec<i64>,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Dead {
    pub(crate) id: String,
    pub(crate) class: Class,
    pub(crate) code: String,
}

/// All that is anywhere when nothing runs any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) rows: Vec<Row>,
    pub(crate) dead: Vec<Dead>,
    /// Messages that are no posts, which must be dead letters.
    pub(crate) strangers: Vec<String>,
    /// Sour posts must be dead letters too.
    pub(crate) stays_sour: bool,
}

/// Holds what is there against what was sent; also what is wrong.
pub(crate) fn reckon(sent: &HashMap<PostId, Sent>, places: &Places) -> (Tally, Vec<String>) {
    let recorded: HashSet<PostId> = places.rows.iter().map(|row| row.id).collect();
    let dead: HashSet<PostId> = places.dead.iter().filter_map(|dead_letter| dead_letter.id.parse().ok()).collect();
    let mut tally = Tally {
        recorded: places.rows.len() as u64,
        dead: places.dead.len() as u64,
        recorded_at: places.rows.iter().map(|row| row.recorded_at).collect(),
        ..Tally::default()
    };
    tally.recorded_at.sort_unstable();
    for (id, sent) in sent {
        match (sent.accepted, recorded.contains(id), dead.contains(id)) {
            (true, false, false) => tally.missing += 1,
            (_, true, true) => tally.doubled += 1,
            _ => {}
        }
        tally.accepted += u64::from(sent.accepted);
        tally.in_doubt += u64::from(!sent.accepted);
        tally.in_doubt_recorded += u64::from(!sent.accepted && recorded.contains(id));
    }
    // The primary key sees to the ids; a second row under another id has the same title.
    let titles: HashSet<&str> = places.rows.iter().map(|row| row.title.as_str()).collect();
    tally.doubled += (places.rows.len() - titles.len().min(recorded.len())) as u64;
    let mut problems = Vec::new();
    let wrong_rows = places.rows.iter().filter_map(|row| wrong_row(row, sent, places.stays_sour));
    let wrong_dead_letters = places.dead.iter().filter_map(|dead_letter| wrong_dead_letter(dead_letter, sent, places));
    let lost = places.strangers.iter().filter(|id| !places.dead.iter().any(|dead_letter| dead_letter.id == **id));
    let lost = lost.map(|id| format!("{id}, which is no post, is not among the dead letters"));
    let wrong: Vec<String> = wrong_rows.chain(wrong_dead_letters).chain(lost).collect();
    if let Some(first) = wrong.first() {
        problems.push(format!("{} things are wrong, the first: {first}", wrong.len()));
    }
    if tally.missing > 0 {
        problems.push(format!("{} accepted posts are nowhere", tally.missing));
    }
    if tally.doubled > 0 {
        problems.push(format!("{} posts are in two places", tally.doubled));
    }
    (tally, problems)
}

/// Each row must be what was sent, character by character.
fn wrong_row(row: &Row, sent: &HashMap<PostId, Sent>, stays_sour: bool) -> Option<String> {
    let (id, title) = (row.id, &row.title);
    match sent.get(&id).map(|sent| &sent.draft) {
        None => Some(format!("nobody sent {id} ({title})")),
        Some(draft) if draft.title != *title || draft.content != row.content => {
            Some(format!("{id} ({title}) is not what was sent"))
        }
        Some(draft) if draft.sour && stays_sour => Some(format!("{id} ({title}) should have been refused")),
        Some(_) => None,
    }
}

/// Each dead letter must be one that was expected, with the right class and code.
fn wrong_dead_letter(dead_letter: &Dead, sent: &HashMap<PostId, Sent>, places: &Places) -> Option<String> {
    let post = dead_letter.id.parse().ok().and_then(|id: PostId| sent.get(&id));
    let right = match post {
        Some(post) => post.draft.sour && places.stays_sour && dead_letter.code == "mysql_4025",
        None => places.strangers.contains(&dead_letter.id) && dead_letter.code == "malformed",
    };
    let right = right && dead_letter.class == Class::Permanent;
    (!right).then(|| format!("a dead letter that should not be: {dead_letter:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Draft;

    /// Three posts, each with its row; the third was never accepted.
    fn well() -> (HashMap<PostId, Sent>, Places) {
        let draft = |title: &str| Draft {
            id: PostId::new(),
            title: title.to_owned(),
            content: "a text".to_owned(),
            key: None,
            sour: false,
        };
        let sent = ["one", "two", "three"].map(|title| Sent { draft: draft(title), accepted: title != "three" });
        let row = |sent: &Sent| Row {
            id: sent.draft.id,
            title: sent.draft.title.clone(),
            content: sent.draft.content.clone(),
            recorded_at: 0,
        };
        let rows = sent.iter().map(row).collect();
        (sent.into_iter().map(|sent| (sent.draft.id, sent)).collect(), Places { rows, ..Places::default() })
    }

    fn dead(id: &str) -> Dead {
        Dead { id: id.to_owned(), class: Class::Permanent, code: "malformed".to_owned() }
    }

    #[test]
    fn all_in_one_place_is_well_and_a_post_in_doubt_may_be_there_or_not() {
        let (sent, mut places) = well();
        let (tally, problems) = reckon(&sent, &places);
        assert_eq!(problems, [] as [String; 0]);
        assert_eq!((tally.accepted, tally.in_doubt, tally.in_doubt_recorded), (2, 1, 1));
        places.rows.pop();
        let (tally, problems) = reckon(&sent, &places);
        assert_eq!((problems.len(), tally.in_doubt_recorded), (0, 0));
    }

    #[test]
    fn a_lost_a_doubled_an_altered_and_an_unknown_post_are_each_found() {
        let (sent, places) = well();
        type Plant = fn(&mut Places);
        let planted: [(&str, Plant); 7] = [
            ("nowhere", |places| drop(places.rows.remove(0))),
            ("two places", |places| {
                places.rows.push(Row { id: PostId::new(), ..places.rows[0].clone() });
            }),
            ("two places", |places| places.dead.push(dead(&places.rows[0].id.to_string()))),
            ("not what was sent", |places| places.rows[1].content.push('!')),
            ("nobody sent", |places| places.rows[1].id = PostId::new()),
            ("should not be", |places| places.dead.push(dead("a stranger that nobody sent"))),
            ("not among the dead letters", |places| places.strangers.push("a stranger".to_owned())),
        ];
        for (words, plant) in planted {
            let mut places = places.clone();
            plant(&mut places);
            let (_, problems) = reckon(&sent, &places);
            assert!(problems.iter().any(|problem| problem.contains(words)), "{words}: {problems:?}");
        }
    }

    #[test]
    fn a_sour_post_must_be_a_dead_letter_with_the_tables_own_reason() {
        let (mut sent, mut places) = well();
        places.stays_sour = true;
        let id = places.rows[0].id;
        sent.get_mut(&id).expect("it was sent").draft.sour = true;
        assert!(reckon(&sent, &places).1[0].contains("should have been refused"));
        places.rows.remove(0);
        places.dead.push(Dead { code: "mysql_4025".to_owned(), ..dead(&id.to_string()) });
        assert_eq!(reckon(&sent, &places).1, [] as [String; 0]);
        places.dead[0].class = Class::Exhausted;
        assert!(reckon(&sent, &places).1[0].contains("should not be"));
    }
}
