//! Who one is here: the shortest page, and the example for others.

use askama::Template;

use super::frame::{Answered, Frame, Page};
use super::request::{Visit, Who};
use crate::console::access::Role;

/// `templates/account.html`.
#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    who: Who,
    roles: [Role; 5],
}

impl Page for AccountPage {}

/// Shows it.
pub(super) async fn show(visit: Visit, who: Who) -> Answered {
    visit.show(&AccountPage { frame: visit.frame("Your account"), who, roles: Role::ALL })
}
