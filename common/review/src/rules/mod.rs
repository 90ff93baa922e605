//! From a rules file to checked rules: every name known, every number in its bounds, every term folded, every pattern
//! one that can match. So nothing can fail later, on a post.

use std::collections::HashSet;

use toml::Spanned;

use super::check::{checked_host, checked_id, checked_number, checked_weight, compiled};
use super::error::{Mistakes, Source, Wrong};
use super::file::{self, Base, HostIs, Mode, Number, RulesFile};
use super::language::Language;
use super::link::{Asked, Links};
use super::signal::Signal;

mod categories;
mod combinations;
mod parts;
mod terms;

pub(super) use parts::{Category, Combination, Pattern, Rule, Term};

/// The largest rules file or word list that is read: ten times the longest list of Chinese words there is.
pub(super) const FILE_MAX_BYTES: u64 = 16 << 20;
/// The largest weight. Thresholds have the same scale, so that a weight reads as a share of them.
const WEIGHT_MAX: u32 = 1000;
/// The weight of a rule without one: in the built-in categories it holds a post by itself.
const WEIGHT_DEFAULT: u32 = 50;

#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) categories: Vec<Category>,
    pub(super) rules: Vec<Rule>,
    pub(super) terms: Vec<Term>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) links: Links,
    pub(super) signals: Vec<Signal>,
    pub(super) combinations: Vec<Combination>,
    /// The languages that the lists are for.
    pub(super) languages: Vec<Language>,
    /// Whether what looks suspicious holds a post.
    pub(super) suspected: bool,
    /// The first of the rules that are the file's own.
    pub(super) own: usize,
    /// The ids of wrong rules, so that each mistake is reported once.
    broken: HashSet<String>,
    /// The categories that no file declares.
    pub(super) undeclared: HashSet<usize>,
    /// The texts of the word lists that were read, for the hash.
    pub(super) files: Vec<String>,
}

struct Head<'a> {
    id: &'a Spanned<String>,
    category: &'a Spanned<String>,
    weight: Option<&'a Spanned<Number>>,
    mode: Mode,
}

macro_rules! head {
    ($rule:expr) => {
        Head { id: &$rule.id, category: &$rule.category, weight: $rule.weight.as_ref(), mode: $rule.mode }
    };
}
use head;

impl Rules {
    /// Adds the rules of a file, and notes what is wrong with it. A category that exists already gets the file's
    /// thresholds.
    pub(super) fn absorb(&mut self, file: &RulesFile, source: Source<'_>, wrong: &mut Wrong) {
        self.languages.extend(file.languages.iter().flatten());
        self.suspected = file.suspected.unwrap_or(self.suspected);
        for (name, thresholds) in &file.categories {
            wrong.note(self.absorb_category(name, thresholds, source));
        }
        for (name, thresholds) in &file.categories {
            self.absorb_with(name, thresholds, source, wrong);
        }
        for list in &file.list {
            self.absorb_list(list, source, wrong);
        }
        for pattern in &file.pattern {
            let rule = self.rule(&head!(pattern), source, wrong);
            let ways = wrong.note(compiled(&pattern.regex, source)).into_iter().flatten();
            self.patterns.extend(ways.map(|way| Pattern { way, rule: Some(rule) }));
        }
        for link in &file.link {
            self.absorb_link(link, source, wrong);
        }
        for signal in &file.signal {
            let rule = self.rule(&head!(signal), source, wrong);
            let (what, most) = match signal.is.is_share() {
                true => ("a share in percent", 100),
                false => ("a bound", WEIGHT_MAX),
            };
            let from = wrong.note(checked_number(&signal.from, what, most, source));
            self.signals.extend(from.map(|from| Signal { kind: signal.is, from: from as usize, rule }));
        }
        for combination in &file.combination {
            self.absorb_combination(combination, source, wrong);
        }
        for allow in &file.allow {
            self.absorb_allow(allow, source, wrong);
        }
    }

    /// Adds a rule and returns its index, or one that no rule has if it is wrong. A category that no file declares is
    /// held from its lightest rule on: posts of a mistyped category are shown to people, and never rejected.
    fn rule(&mut self, head: &Head<'_>, source: Source<'_>, wrong: &mut Wrong) -> usize {
        let id = wrong.note(checked_id(head.id, "a rule's id", source).and_then(|id| {
            let known = self.rules.iter().any(|known| known.id == id) || self.broken.contains(&id);
            if known {
                let found = format!("the id {id:?} a second time");
                return Err(source.invalid(&head.id.span(), found, "an id that no other rule has"));
            }
            Ok(id)
        }));
        let weight = head.weight.map(|weight| checked_weight(weight, WEIGHT_MAX, source));
        let weight = wrong.note(weight.unwrap_or(Ok(WEIGHT_DEFAULT)));
        let name = wrong.note(checked_id(head.category, "a category", source));
        let (Some(id), Some(weight), Some(name)) = (id, weight, name) else {
            self.broken.insert(head.id.get_ref().clone());
            return usize::MAX;
        };
        let category = self.category(&name).unwrap_or_else(|| {
            self.categories.push(Category { name, hold: Some(weight.max(1)), ..Category::default() });
            self.undeclared.insert(self.categories.len() - 1);
            self.categories.len() - 1
        });
        if self.undeclared.contains(&category) {
            let hold = &mut self.categories[category].hold;
            *hold = hold.map(|hold| hold.min(weight.max(1)));
        }
        self.rules.push(Rule { id, category, weight, shadow: head.mode == Mode::Shadow });
        self.rules.len() - 1
    }

    fn absorb_link(&mut self, link: &file::Link, source: Source<'_>, wrong: &mut Wrong) {
        let rule = self.rule(&head!(link), source, wrong);
        let asked = [
            link.host_is.map(|is| match is {
                HostIs::Address => Asked::Address,
                HostIs::MixedScript => Asked::MixedScript,
            }),
            link.more_than.map(Asked::MoreThan),
            link.denser_than.map(Asked::DenserThan),
        ];
        let hosts = link.hosts.as_deref().unwrap_or_default();
        let imitated = link.imitates.as_deref().unwrap_or_default();
        if hosts.is_empty() && imitated.is_empty() && asked.iter().all(Option::is_none) {
            let expected = "`hosts`, `host_is`, `imitates`, `more_than` or `denser_than`";
            wrong.add(source.invalid(&link.id.span(), "a link rule without a condition", expected));
        }
        for host in hosts.iter().filter_map(|host| wrong.note(checked_host(host, source))) {
            self.links.hosts.entry(host).or_default().push(rule);
        }
        for host in imitated.iter().filter_map(|host| wrong.note(checked_host(host, source))) {
            self.links.imitated.add(&host, rule);
        }
        self.links.asked.extend(asked.into_iter().flatten().map(|asked| (asked, rule)));
    }
}

/// A file, and its rules on top of those it extends; or everything that is wrong with it.
pub(super) fn read(source: Source<'_>, builtin: Source<'_>) -> Result<(RulesFile, Rules), Mistakes> {
    let (mut rules, mut wrong) = (Rules::default(), Wrong::default());
    let file = RulesFile::read(source, &mut wrong);
    match file.extend {
        Some(Base::Builtin) => rules.absorb(&RulesFile::read(builtin, &mut wrong), builtin, &mut wrong),
        None => {}
    }
    rules.own = rules.rules.len();
    rules.absorb(&file, source, &mut wrong);
    if file.is_empty() && wrong.is_empty() {
        // An editor or a full disk may leave an empty file, and with that every post would be approved.
        let expected = "a rule, a category, or `extend = \"builtin\"`";
        wrong.add(source.invalid(&(0..0), "a file without any rules", expected));
    }
    wrong.or((file, rules), source)
}
