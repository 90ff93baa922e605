//! Which case is meant: by its id, by an unambiguous beginning, or by its post's id.

use sluice_core::post::PostId;
use sluice_mysql::review::StoredCase;
use sluice_runtime::output::report;
use uuid::Uuid;

use crate::beginning::{LATEST, SHORTEST, ambiguous, is_long_enough};
use crate::review::desk::Desk;
use crate::visible::{cut, line};

/// The most cases that a beginning is looked for among: those of one post may be several.
const LOOKED_AT: u32 = 50;

/// Finds a case for a command that acts. None: there is none, which is said with what to do.
///
/// # Errors
/// The database's; [`ConfigError`] when several cases may be meant.
pub(in crate::review) async fn case(desk: &Desk, text: &str) -> anyhow::Result<Option<StoredCase>> {
    let text = text.trim();
    let found = match text.parse::<PostId>() {
        Ok(id) => by_id(desk, id).await?,
        Err(_) => by_beginning(desk, text).await?,
    };
    if found.is_none() {
        report!("{}", unknown(desk, text).await?);
    }
    Ok(found)
}

/// The same for a command that only looks: it also takes `latest`.
///
/// # Errors
/// As [`case`].
pub(in crate::review) async fn case_or_latest(desk: &Desk, text: &str) -> anyhow::Result<Option<StoredCase>> {
    if text.trim() != LATEST {
        return case(desk, text).await;
    }
    let latest = desk.ok(desk.store.latest_case().await)?;
    if latest.is_none() {
        report!("there is no case yet");
    }
    Ok(latest)
}

async fn by_id(desk: &Desk, id: PostId) -> anyhow::Result<Option<StoredCase>> {
    if let Ok(case) = id.to_string().parse::<Uuid>()
        && let Some(case) = desk.ok(desk.store.case(case).await)?
    {
        return Ok(Some(case));
    }
    Ok(open_or_last(desk.ok(desk.store.cases_of(id).await)?))
}

async fn by_beginning(desk: &Desk, text: &str) -> anyhow::Result<Option<StoredCase>> {
    // What is too short is not looked for.
    if !is_long_enough(text) {
        return Ok(None);
    }
    let begins = text.to_ascii_lowercase();
    let mut found = desk.ok(desk.store.cases_named(&begins, LOOKED_AT).await)?;
    found.reverse();
    if found.iter().all(|case| found.first().is_some_and(|first| first.post == case.post)) {
        let of_ids = found.iter().filter(|case| case.case.to_string().starts_with(&begins)).count();
        // The beginning of one case's id means that case, whatever others the post has.
        let found = match of_ids {
            1 => found.into_iter().find(|case| case.case.to_string().starts_with(&begins)),
            _ => open_or_last(found),
        };
        return Ok(found);
    }
    let ids: Vec<String> = found.iter().map(|case| format!("{} of post {}", case.case, case.post)).collect();
    Err(ambiguous("CASE", "cases", text, &ids).into())
}

/// Of a post's cases, the first one first: the one that can be decided, else the last.
fn open_or_last(cases: Vec<StoredCase>) -> Option<StoredCase> {
    let open = cases.iter().position(|case| case.stored_state.is_open());
    let at = open.or_else(|| cases.len().checked_sub(1))?;
    cases.into_iter().nth(at)
}

async fn unknown(desk: &Desk, text: &str) -> anyhow::Result<String> {
    let shown = cut(text, 100);
    if let Ok(post) = text.parse::<PostId>()
        && let Some(row) = desk.ok(desk.store.post(post).await)?
    {
        let why = match row.verdict.as_str() {
            "held" => "it is held: its worker opens one within a moment; `sluice review sweep` opens what is missing",
            _ => "only held posts have one",
        };
        return Ok(format!("the post {shown} is stored as {} and has no case: {why}", line(&row.verdict)));
    }
    let too_short = match is_long_enough(text) {
        true => String::new(),
        false => format!(" (a beginning has at least {SHORTEST} characters)"),
    };
    Ok(format!("no case and no post with a case has the id {shown}{too_short}; `sluice review list` has them"))
}
