//! Links: to whom they lead, and how many there are.
//!
//! A host is compared as a browser would resolve it: in ASCII (punycode), without case, and with all that stands below
//! it, so that `example.com` in a rule means `www.example.com` in a post as well.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

use super::hit::{Hit, What};
use super::table::look_alike;

/// What a rule asks of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A host that is an address: `http://10.1.2.3/`.
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
    /// Hosts that no rule for links matches.
    pub(super) allowed: HashSet<String>,
}

impl Links {
    /// What the rules say of a text's links.
    pub(super) fn find(&self, text: &str) -> Vec<Hit> {
        if self.hosts.is_empty() && self.asked.is_empty() {
            return Vec::new();
        }
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
            hits.extend(named.chain(matching).map(|rule| Hit::new(*rule, What::Rule(*rule), span.clone())));
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

impl Asked {
    fn of_host(self, host: &str) -> bool {
        match self {
            Self::Address => is_address(host),
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

/// The host of a link, without its scheme, user, port and path.
fn host(link: &str) -> Option<&str> {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    (!host.is_empty()).then_some(host)
}

/// The longest name a host can have, in bytes of its ASCII form (RFC 1035). Domains above a longer one are not looked
/// for: it can have tens of thousands, each almost as long as itself.
const HOST_MAX: usize = 253;

/// Whether a host can be reached: `e.g` and `main.rs` look like links, but no registry has such an ending.
fn is_public(host: &str) -> bool {
    // In ASCII no host gets shorter than one byte for each character.
    if host.chars().count() > HOST_MAX {
        return false;
    }
    let known = psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    is_address(host) || known || !host.is_ascii()
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// A host and all domains above it.
fn above(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, above)| above))
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
    fn addresses_and_mixed_scripts_are_told_from_ordinary_hosts() {
        let asked = vec![(Asked::Address, 1), (Asked::MixedScript, 2)];
        let links = Links { asked, ..Links::default() };
        assert_eq!(found(&links, "http://10.1.2.3/a"), [1]);
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
