//! What would match, or allow, nearly everything.

use std::collections::HashMap;
use std::ops::Range;

use super::Lint;
use crate::file::RulesFile;
use crate::fold;
use crate::ways::Way;

/// What people write every day. A rule that matches here matches nearly every post.
const ORDINARY: [&str; 4] = [
    "Good morning everyone, thank you for the help yesterday. See you at the lake on Sunday!",
    "It took me 12 minutes and cost 30 euros, which is fine by me.",
    "今天天气不错，我们下午去公园散步，晚上一起吃饭吧。",
    "ok",
];

/// From which share of a text on, in percent, an allowed pattern takes all of it.
const NEARLY_ALL: usize = 80;

impl Lint<'_> {
    /// Rules that match what everybody writes.
    pub(super) fn ordinary(&mut self, file: &RulesFile) {
        let mut places: HashMap<&str, Range<usize>> = HashMap::new();
        places.extend(file.list.iter().map(|rule| (rule.id.get_ref().as_str(), rule.id.span())));
        places.extend(file.pattern.iter().map(|rule| (rule.id.get_ref().as_str(), rule.regex.span())));
        places.extend(file.link.iter().map(|rule| (rule.id.get_ref().as_str(), rule.id.span())));
        places.extend(file.signal.iter().map(|rule| (rule.id.get_ref().as_str(), rule.from.span())));
        places.extend(file.combination.iter().map(|rule| (rule.id.get_ref().as_str(), rule.id.span())));
        for text in ORDINARY {
            for finding in self.set.explain("", text).findings {
                let Some(place) = places.remove(finding.reason.rule.as_str()) else { continue };
                if finding.dropped.is_none() {
                    let found = format!("{:?} in {text:?}", finding.reason.text);
                    let message = format!("{:?} matches {found}, which is ordinary text", finding.reason.rule);
                    self.warn(&place, format!("{message}: it would match nearly every post, so make it more specific"));
                }
            }
        }
    }

    /// Allowed patterns that match nearly all of a text: nothing in it would ever count.
    pub(super) fn allowed(&mut self, file: &RulesFile) {
        for pattern in file.allow.iter().flat_map(|allow| &allow.patterns) {
            // One that does not compile was refused before.
            let ways = Way::all(pattern.get_ref()).unwrap_or_default();
            let all_of = |text: &&str| {
                let folded = fold::folded(text);
                let mut places = ways.iter().flat_map(|way| way.places(&folded, usize::MAX));
                text.len() > 2 && places.any(|place| place.len() * 100 >= folded.len() * NEARLY_ALL)
            };
            if let Some(text) = ORDINARY.into_iter().find(all_of) {
                let message = format!("an allowed pattern matches nearly all of {text:?}, which is ordinary text");
                self.warn(&pattern.span(), format!("{message}: next to nothing would count, so make it more specific"));
            }
        }
    }
}
