//! Logging in and out.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use time::OffsetDateTime;

use super::app::Pages;
use super::frame::{Answered, Frame, Page, see_other};
use super::request::{Fields, Visit};
use super::session::{self, Cookie, Session};
use crate::console::access::{PASSWORD_MAX_BYTES, Password, Person};

/// The page to log in.
#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    /// Where to go then.
    to: String,
    /// The name that was typed.
    name: String,
    /// The word of the link; a password is not asked for then.
    once: Option<String>,
    /// Whether there are accounts to log in with.
    accounts: bool,
    /// Whether a form was sent after the session had ended.
    form: bool,
    problem: Option<Problem>,
}

/// Why the login failed.
enum Problem {
    /// Name or password; which one is not said.
    Wrong,
    /// The link was used before, or is not of this console.
    Used,
    /// So many seconds have to pass before the next try.
    Wait(u64),
}

impl Page for LoginPage {}

/// Shows it.
pub(super) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let page = page(&pages, &visit, &visit.query, None);
    visit.show(&page)
}

/// Tries it.
pub(super) async fn log_in(State(pages): State<Pages>, visit: Visit, headers: HeaderMap, form: Fields) -> Answered {
    let person = match form.get("once") {
        Some(word) => by_link(&pages, word),
        None => by_password(&pages, form.get("name").unwrap_or_default(), form.raw("password")).await,
    };
    let person = match person {
        Ok(person) => person,
        Err(problem) => return refused(&visit, &page(&pages, &visit, &form, Some(problem))),
    };
    let session = Session::begin(person, OffsetDateTime::now_utc().unix_timestamp());
    tracing::info!(name = session.person.name, role = %session.person.role, "logged in");
    let cookie = session::set(&session.sign(&pages.0.key), Cookie::Session, is_secure(&pages, &headers));
    Ok(with_cookie(see_other(&own(form.get("to"))), cookie))
}

/// Ends the session in this browser.
pub(super) async fn log_out(State(pages): State<Pages>, headers: HeaderMap) -> Answered {
    Ok(with_cookie(see_other("/login"), session::clear(is_secure(&pages, &headers))))
}

fn page(pages: &Pages, visit: &Visit, fields: &Fields, problem: Option<Problem>) -> LoginPage {
    LoginPage {
        frame: visit.frame("Log in"),
        to: own(fields.get("to")),
        name: fields.get("name").unwrap_or_default().to_owned(),
        once: fields.get("once").filter(|_| problem.is_none()).map(str::to_owned),
        accounts: pages.0.once.is_none(),
        form: fields.get("form").is_some(),
        problem,
    }
}

fn refused(visit: &Visit, page: &LoginPage) -> Answered {
    let (status, wait) = match page.problem {
        Some(Problem::Wait(seconds)) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        _ => (StatusCode::UNAUTHORIZED, None),
    };
    let mut response = visit.show_as(status, page)?;
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

fn by_link(pages: &Pages, word: &str) -> Result<Person, Problem> {
    let opens = pages.0.once.as_ref().is_some_and(|once| once.opens(word));
    pages.0.accounts.now().local().filter(|_| opens).cloned().ok_or(Problem::Used)
}

/// The person of this name and password. Takes as long for a name that nobody has.
async fn by_password(pages: &Pages, name: &str, password: &str) -> Result<Person, Problem> {
    let tries = &pages.0.tries;
    if let Some(wait) = tries.wait(name) {
        return Err(Problem::Wait((wait + Duration::from_millis(999)).as_secs()));
    }
    // Counted before it is known, so that tries at one moment are not free.
    tries.failed(name);
    let accounts = pages.0.accounts.now();
    let person = accounts.person(name).filter(|person| person.password.is_some());
    let hash = person.and_then(|person| person.password.as_ref()).or(accounts.any_password()).cloned();
    let is = match hash {
        Some(hash) if password.len() <= PASSWORD_MAX_BYTES => is(pages, hash, password.to_owned()).await,
        _ => false,
    };
    match person {
        Some(person) if is => {
            tries.succeeded(name);
            Ok(person.clone())
        }
        _ => {
            tracing::warn!(name = crate::visible::cut(name, 60), "a login was refused");
            Err(Problem::Wrong)
        }
    }
}

async fn is(pages: &Pages, hash: Password, password: String) -> bool {
    let Ok(_room) = pages.0.tries.room.acquire().await else { return false };
    tokio::task::spawn_blocking(move || hash.is(&password)).await.unwrap_or(false)
}

fn is_secure(pages: &Pages, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    pages.0.hosts.secure(host).unwrap_or(false)
}

/// A path of our own to go to; another site's address leads to the first page.
fn own(to: Option<&str>) -> String {
    let is_own = |to: &&str| {
        to.starts_with('/') && !to[1..].starts_with(['/', '\\']) && to.bytes().all(|b| b.is_ascii_graphic())
    };
    to.filter(is_own).unwrap_or("/").to_owned()
}

fn with_cookie(response: Response, cookie: HeaderValue) -> Response {
    ([(header::SET_COOKIE, cookie)], response).into_response()
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn a_login_leads_to_a_page_of_our_own() {
        assert_eq!(own(Some("/dead-letters?code=a%20b")), "/dead-letters?code=a%20b");
        for other in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a b", "/\n", "evil"] {
            assert_eq!(own(Some(other)), "/", "{other}");
        }
        assert_eq!(own(None), "/");
    }
}
