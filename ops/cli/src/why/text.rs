//! The page for people.

use std::fmt::Write as _;

use super::StoryJson;
use crate::times::shown;
use crate::visible::line;

/// A note about the reliability of failures.
const CLAIMED: &str = "(failed, dead-lettered: from dead letters' headers, which RabbitMQ does not verify)";

/// The whole page.
pub(super) fn page(told: &StoryJson<'_>) -> String {
    let mut page = format!("{}\n", line(told.id));
    for event in &told.events {
        let _ = writeln!(page, "  {:<22}{:<15}{}", shown(event.at), event.what, line(&event.detail));
    }
    if told.events.iter().any(|event| event.what == "dead-lettered") {
        let _ = writeln!(page, "  {:<22}{:<15}{CLAIMED}", "", "");
    }
    let _ = writeln!(page, "  now                   {}", line(&told.now));
    if let Some(trace) = &told.known.trace {
        let _ = writeln!(page, "  trace                 {trace}");
    }
    for unreachable in &told.known.unreachable {
        let _ = writeln!(page, "  not queried           {}", line(unreachable));
    }
    page
}
