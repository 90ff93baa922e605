//! The page for people.

use std::fmt::Write as _;

use super::Told;
use crate::times::shown;
use crate::visible::line;

/// What the deaths are worth.
const CLAIMED: &str = "(failed, set aside: as the dead letters say; RabbitMQ does not vouch for their headers)";

/// The whole page.
pub(super) fn page(told: &Told<'_>) -> String {
    let mut page = format!("{}\n", line(told.id));
    for event in &told.events {
        let _ = writeln!(page, "  {:<22}{:<12}{}", shown(event.at), event.what, line(&event.detail));
    }
    if told.events.iter().any(|event| event.what == "set aside") {
        let _ = writeln!(page, "  {:<22}{:<12}{CLAIMED}", "", "");
    }
    let _ = writeln!(page, "  now                   {}", line(&told.now));
    for away in &told.known.away {
        let _ = writeln!(page, "  not asked             {}", line(away));
    }
    page
}
