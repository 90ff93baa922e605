//! Links: to whom they lead, and how many there are.
//!
//! A host is compared as a browser would resolve it: in ASCII (punycode), without case, and with all that stands below
//! it, so that `example.com` in a rule means `www.example.com` in a post as well.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

use super::hit::{Hit, What};
use super::host::{above, address, host, is_outside, is_public};
use super::imitation::Imitated;
use super::table::{has_invisible, is_invisible, look_alike};

/// What a rule asks of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A host that is an address which anybody can reach: `http://198.51.100.7/`.
    Address,
    /// A host that mixes ASCII letters with letters that look like them: `pаypal.com` with a Cyrillic а.
    MixedScript,
    /// More links than this in one text.
    MoreThan(usize),
    /// More links than this for each hundred characters of a text, where there are at least two.
    DenserThan(usize),
}

/// All rules for links.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// By host: the rules that name it.
    pub(super) hosts: HashMap<String, Vec<usize>>,
    pub(super) asked: Vec<(Asked, usize)>,
    /// Hosts that others may pass for.
    pub(super) imitated: Imitated,
    /// Hosts that no rule for links matches.
    pub(super) allowed: HashSet<String>,
}

impl Links {
    /// What the rules say of a text's links.
    pub(super) fn find(&self, text: &str) -> Vec<Hit> {
        let nothing_asked = self.hosts.is_empty() && self.asked.is_empty() && self.imitated.is_empty();
        if nothing_asked || !may_hold_a_host(text) {
            return Vec::new();
        }
        let visible = Visible::new(text);
        let origin = |hit: Hit| Hit { span: visible.origin(&hit.span), ..hit };
        self.find_in(&visible.text).into_iter().map(origin).collect()
    }

    fn find_in(&self, text: &str) -> Vec<Hit> {
        let mut finder = LinkFinder::new();
        finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false);
        let places = finder.links(text).map(|link| link.start()..link.end());
        let links: Vec<(Range<usize>, String)> = places
            .filter_map(|span| Some((span.clone(), host(&text[span])?.to_lowercase())))
            .filter(|(_, host)| is_public(host) && !above(host).any(|host| self.allowed.contains(host)))
            .collect();
        let mut hits = Vec::new();
        for (span, host) in &links {
            let ascii = idna::domain_to_ascii(host).unwrap_or_else(|_| host.clone());
            let named = above(&ascii).filter_map(|host| self.hosts.get(host)).flatten();
            let matching = self.asked.iter().filter(|(asked, _)| asked.of_host(host)).map(|(_, rule)| rule);
            let imitated = self.imitated.by(host);
            let rules = named.chain(matching).chain(&imitated);
            hits.extend(rules.map(|rule| Hit::new(*rule, What::Rule(*rule), span.clone())));
        }
        let characters = text.chars().count();
        for (asked, rule) in &self.asked {
            if let Some((span, _)) = links.last().filter(|_| asked.of_number(links.len(), characters)) {
                hits.push(Hit::new(*rule, What::Rule(*rule), span.clone()));
            }
        }
        hits
    }
}

/// Whether a dot stands where one stands in a host, before something that is no blank and no sign; or there are a scheme
/// and a dot.
fn may_hold_a_host(text: &str) -> bool {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let mut dots = text.match_indices('.').map(|(at, _)| at).peekable();
    dots.peek().is_some() && (text.contains("://") || dots.any(|at| text.as_bytes().get(at + 1).is_some_and(goes_on)))
}

/// A text without what is not to be seen and would part a link, with the way back.
struct Visible<'a> {
    text: Cow<'a, str>,
    /// From which byte on how many bytes of the text were left out.
    left_out: Vec<(usize, usize)>,
}

impl<'a> Visible<'a> {
    fn new(original: &'a str) -> Self {
        if !has_invisible(original) {
            return Self { text: original.into(), left_out: Vec::new() };
        }
        let (mut text, mut left_out, mut count) = (String::with_capacity(original.len()), Vec::new(), 0);
        for c in original.chars() {
            if is_invisible(c) {
                count += c.len_utf8();
                left_out.push((text.len(), count));
            } else {
                text.push(c);
            }
        }
        Self { text: text.into(), left_out }
    }

    /// Where in the original a stretch stands, that is not empty.
    fn origin(&self, span: &Range<usize>) -> Range<usize> {
        let left_out = |after: usize| after.checked_sub(1).map_or(0, |last| self.left_out[last].1);
        let start = left_out(self.left_out.partition_point(|(at, _)| *at <= span.start));
        let end = left_out(self.left_out.partition_point(|(at, _)| *at < span.end));
        span.start + start..span.end + end
    }
}

impl Asked {
    fn of_host(self, host: &str) -> bool {
        match self {
            Self::Address => address(host).is_some_and(is_outside),
            Self::MixedScript => {
                let label = |label: &str| {
                    label.contains(|c: char| c.is_ascii_alphabetic()) && label.contains(|c| look_alike(c).is_some())
                };
                idna::domain_to_unicode(host).0.split('.').any(label)
            }
            Self::MoreThan(_) | Self::DenserThan(_) => false,
        }
    }

    fn of_number(self, links: usize, characters: usize) -> bool {
        match self {
            Self::MoreThan(most) => links > most,
            Self::DenserThan(most) => links >= 2 && links * 100 > most * characters,
            Self::Address | Self::MixedScript => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(links: &Links, text: &str) -> Vec<usize> {
        links.find(text).into_iter().map(|hit| hit.rule).collect()
    }

    #[test]
    fn a_rule_for_a_host_speaks_for_all_below_it() {
        let links = Links { hosts: HashMap::from([("bad.example.com".to_owned(), vec![7])]), ..Links::default() };
        assert_eq!(found(&links, "see http://WWW.bad.example.com:80/x, ok"), [7]);
        assert_eq!(found(&links, "see bad.example.com"), [7]);
        assert!(found(&links, "see notbad.example.com, example.com").is_empty());
    }

    #[test]
    fn what_is_not_to_be_seen_does_not_part_a_link() {
        let links = Links { hosts: HashMap::from([("bad.example.com".to_owned(), vec![4])]), ..Links::default() };
        let text = "\u{200b}see ht\u{200b}tp://b\u{200b}ad.example.com/a\u{200b}, ok";
        let hits = links.find(text);
        assert_eq!(
            hits.iter().map(|hit| &text[hit.span.clone()]).collect::<Vec<_>>(),
            ["ht\u{200b}tp://b\u{200b}ad.example.com/a"]
        );
    }

    #[test]
    fn addresses_and_mixed_scripts_are_told_from_ordinary_hosts() {
        let asked = vec![(Asked::Address, 1), (Asked::MixedScript, 2)];
        let links = Links { asked, ..Links::default() };
        assert_eq!(found(&links, "http://198.51.100.7/a and http://8.8.4.4:81"), [1, 1]);
        for inside in [
            "http://10.1.2.3/a",
            "http://127.0.0.1:9090",
            "http://192.168.0.5",
            "http://172.20.1.1",
            "http://169.254.1.1",
            "http://100.64.0.1",
            "http://0.0.0.0:80",
        ] {
            assert!(found(&links, inside).is_empty(), "{inside}");
        }
        assert_eq!(found(&links, "https://p\u{430}ypal.com/login"), [2]);
        assert!(found(&links, "https://例子.com https://пример.com https://paypal.com main.rs 1.2.3").is_empty());
    }

    #[test]
    fn a_host_that_is_longer_than_names_can_be_is_no_link() {
        let links = Links { asked: vec![(Asked::MoreThan(0), 1)], ..Links::default() };
        assert_eq!(found(&links, &format!("http://{}com", "a.".repeat(125))), [1]);
        assert!(found(&links, &format!("http://{}com", "a.".repeat(126))).is_empty());
    }

    #[test]
    fn many_links_are_counted_without_those_allowed() {
        let asked = vec![(Asked::MoreThan(1), 1), (Asked::DenserThan(3), 2)];
        let links = Links { asked, allowed: HashSet::from(["ok.org".to_owned()]), ..Links::default() };
        assert_eq!(found(&links, "http://a.com http://b.com"), [1, 2]);
        assert!(found(&links, "http://a.com http://docs.ok.org").is_empty());
    }
}
