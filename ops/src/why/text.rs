//! The page for people.

use std::fmt::Write as _;

use super::Told;
use crate::times::shown;
use crate::visible::line;

/// The whole page.
pub(super) fn page(told: &Told<'_>) -> String {
    let mut page = format!("{}\n", line(told.id));
    for event in &told.events {
        let _ = writeln!(page, "  {:<22}{:<12}{}", shown(event.at), event.what, line(&event.detail));
    }
    let _ = writeln!(page, "  now                   {}", line(&told.now));
    for away in &told.known.away {
        let _ = writeln!(page, "  not asked             {}", line(away));
    }
    page
}
