//! The page on which one sets it.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Frame, Page, Refusal, see_other};
use super::super::super::request::{Fields, Visit, Who};
use super::settings::{CATEGORIES_MOST, CATEGORY_MAX_CHARS, Comfort};

/// The highest number of cases or minutes.
const MOST: u32 = 10_000;

/// `templates/comfort.html`.
#[derive(Template)]
#[template(path = "comfort.html")]
struct ComfortPage {
    frame: Frame,
    comfort: Comfort,
    saved: bool,
}

impl Page for ComfortPage {}

/// Shows it.
pub(crate) async fn show(visit: Visit, comfort: Comfort) -> Answered {
    let saved = visit.query.get("saved").is_some();
    visit.show(&ComfortPage { frame: visit.frame("For you"), comfort, saved })
}

/// `POST /review/comfort`.
pub(crate) async fn save(
    State(pages): State<Pages>,
    headers: HeaderMap,
    who: Who,
    before: Comfort,
    form: Fields,
) -> Answered {
    let number = |name: &str| match form.get(name).map_or(Ok(0), str::parse::<u32>) {
        Ok(number) if number <= MOST => Ok(number),
        _ => Err(Refusal::invalid(format!("{name}: a number from 0 to {MOST}."))),
    };
    let named = form.get("cover").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let cover: Vec<String> = named.map(str::to_owned).collect();
    if cover.len() > CATEGORIES_MOST || cover.iter().any(|name| name.chars().count() > CATEGORY_MAX_CHARS) {
        let problem = format!("cover: at most {CATEGORIES_MOST} categories of {CATEGORY_MAX_CHARS} characters.");
        return Err(Refusal::invalid(problem));
    }
    let comfort = Comfort {
        cover,
        mask: form.get("mask").is_some(),
        cases: number("cases")?,
        minutes: number("minutes")?,
        ..before
    };
    let kept = [comfort.keep(&pages, &headers, &who)];
    Ok((kept, see_other("/review/comfort?saved=1")).into_response())
}
