//! The answer to the offer of a break.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use sluice_mysql::review::Release;
use time::OffsetDateTime;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, see_other};
use super::super::super::request::{Fields, Who};
use super::super::asked::{self, failed};
use super::settings::Comfort;
use super::stretch::milliseconds;

/// `POST /review/pause`: a break, for which the claimed case is given back; or not now, and the case stays.
pub(crate) async fn pause(
    State(pages): State<Pages>,
    headers: HeaderMap,
    who: Who,
    before: Comfort,
    form: Fields,
) -> Answered {
    let (case, claim) = (asked::maybe_uuid(&form, "case")?, asked::maybe_uuid(&form, "claim")?);
    let comfort = Comfort { answered: milliseconds(OffsetDateTime::now_utc()), ..before };
    let to = match (case, claim) {
        (Some(case), Some(_)) if form.get("answer") == Some("break") => {
            // Refused: it is not theirs any more.
            let released = pages.0.store.release(case, asked::actor(&who, claim), Release::Released).await;
            let _ = released.map_err(|failure| failed(&pages, failure))?;
            "/review".to_owned()
        }
        (Some(case), _) => format!("/review/cases/{case}"),
        (None, _) => "/review".to_owned(),
    };
    Ok(([comfort.keep(&pages, &headers, &who)], see_other(&to)).into_response())
}
