//! From a rules file as it is written to rules that mean something: every name known, every number in its bounds,
//! every term folded, every pattern one that can match. What passes here cannot fail later, on a post.

use std::collections::HashSet;
use std::path::Path;

use regex::Regex;
use toml::Spanned;

use super::check::{checked_host, checked_id, checked_number, checked_term, compiled};
use super::error::{RulesError, Source};
use super::file::{self, Base, HostIs, Mode, Number, RulesFile};
use super::link::{Asked, Links};
use super::signal::Signal;

/// The heaviest a rule may be. Thresholds are on the same scale, so that a weight reads as a share of them.
const WEIGHT_MAX: u32 = 1000;
/// The weight of a rule that gives none: in the built-in categories it holds a post by itself.
const WEIGHT_DEFAULT: u32 = 50;
/// The farthest that rules of a combination may be asked to stand apart, in bytes: more is anywhere.
const WITHIN_MAX: u32 = 10_000;

/// A kind of harm, with what the weights of its hits must add up to.
#[derive(Debug, Clone)]
pub(super) struct Category {
    pub(super) name: String,
    pub(super) hold: Option<u32>,
    pub(super) reject: Option<u32>,
    /// The categories whose sums are added to this one's, once it has one.
    pub(super) with: Vec<usize>,
}

/// What a reason names: a list, a pattern, a link, a signal, a combination.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: String,
    /// Which of [`Rules::categories`].
    pub(super) category: usize,
    pub(super) weight: u32,
    /// It is told of, and decides nothing.
    pub(super) shadow: bool,
}

/// A folded word or phrase.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) text: String,
    /// Which of [`Rules::rules`] it speaks for; `None`: it is an allowed phrase.
    pub(super) rule: Option<usize>,
    pub(super) words: bool,
}

/// A regular expression, for folded text.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// Which of [`Rules::rules`] it speaks for; `None`: what it matches is allowed.
    pub(super) rule: Option<usize>,
}

/// A rule that speaks where others speak together.
#[derive(Debug, Clone)]
pub(super) struct Combination {
    pub(super) rule: usize,
    pub(super) all: Vec<usize>,
    /// One of these too, if there are any.
    pub(super) any: Vec<usize>,
    /// How far the last of them may begin behind the first, in bytes of one field; `None`: anywhere in the post.
    pub(super) within: Option<usize>,
}

/// Everything a rule set is made of.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) categories: Vec<Category>,
    pub(super) rules: Vec<Rule>,
    pub(super) terms: Vec<Term>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) links: Links,
    pub(super) signals: Vec<Signal>,
    pub(super) combinations: Vec<Combination>,
    /// The categories that no file declares.
    pub(super) undeclared: HashSet<usize>,
    /// The texts of the word lists that were read, for the hash.
    pub(super) files: Vec<String>,
}

/// What all kinds of rules have.
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

impl Rules {
    /// Takes in a file, on top of what is there. A category that is there already gets the file's thresholds.
    pub(super) fn absorb(&mut self, file: &RulesFile, source: Source<'_>) -> Result<(), RulesError> {
        for (name, thresholds) in &file.categories {
            self.absorb_category(name, thresholds, source)?;
        }
        for (name, thresholds) in &file.categories {
            self.absorb_with(name, thresholds, source)?;
        }
        for list in &file.list {
            self.absorb_list(list, source)?;
        }
        for pattern in &file.pattern {
            let rule = self.rule(&head!(pattern), source)?;
            self.patterns.push(Pattern { regex: compiled(&pattern.regex, source)?, rule: Some(rule) });
        }
        for link in &file.link {
            self.absorb_link(link, source)?;
        }
        for signal in &file.signal {
            let rule = self.rule(&head!(signal), source)?;
            let from = checked_number(&signal.from, "a bound", WEIGHT_MAX, source)? as usize;
            self.signals.push(Signal { kind: signal.is, from, rule });
        }
        for combination in &file.combination {
            self.absorb_combination(combination, source)?;
        }
        for allow in &file.allow {
            self.absorb_allow(allow, source)?;
        }
        Ok(())
    }

    fn absorb_category(
        &mut self,
        name: &Spanned<String>,
        thresholds: &file::Thresholds,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let name_text = checked_id(name, "a category", source)?;
        let bound = |sum: &Option<Spanned<Number>>| {
            sum.as_ref().map(|sum| checked_number(sum, "a threshold", 10 * WEIGHT_MAX, source)).transpose()
        };
        let (hold, reject) = (bound(&thresholds.hold)?, bound(&thresholds.reject)?);
        match (hold, reject) {
            (None, None) => {
                let found = format!("the category {name_text:?} without a threshold");
                return Err(source.invalid(&name.span(), found, "`hold`, `reject` or both"));
            }
            (Some(hold), Some(reject)) if hold >= reject => {
                let found = format!("hold = {hold} with reject = {reject}: nothing would ever be held");
                return Err(source.invalid(&name.span(), found, "a `hold` below `reject`"));
            }
            (Some(_), _) | (_, Some(_)) => {}
        }
        match self.category(&name_text) {
            Some(known) => (self.categories[known].hold, self.categories[known].reject) = (hold, reject),
            None => self.categories.push(Category { name: name_text, hold, reject, with: Vec::new() }),
        }
        Ok(())
    }

    /// What a category is added up with: asked when all categories of the file are known. A file that says nothing
    /// leaves what is there.
    fn absorb_with(
        &mut self,
        name: &Spanned<String>,
        thresholds: &file::Thresholds,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let (Some(others), Some(category)) = (&thresholds.with, self.category(name.get_ref())) else { return Ok(()) };
        let other = |other: &Spanned<String>| {
            let known = self.category(other.get_ref()).filter(|known| *known != category);
            let found = || format!("{:?} in `with`", other.get_ref());
            known.ok_or_else(|| source.invalid(&other.span(), found(), "the name of another category that is declared"))
        };
        let mut with = others.iter().map(other).collect::<Result<Vec<_>, _>>()?;
        with.sort_unstable();
        with.dedup();
        self.categories[category].with = with;
        Ok(())
    }

    fn category(&self, name: &str) -> Option<usize> {
        self.categories.iter().position(|known| known.name == name)
    }

    /// Adds what all kinds of rules have in common; gives its index. A category that nobody declares is held from its
    /// lightest rule on: a mistyped name is seen by people, and never rejects.
    fn rule(&mut self, head: &Head<'_>, source: Source<'_>) -> Result<usize, RulesError> {
        let id_text = checked_id(head.id, "a rule's id", source)?;
        if self.rules.iter().any(|known| known.id == id_text) {
            let found = format!("the id {id_text:?} a second time");
            return Err(source.invalid(&head.id.span(), found, "an id that no other rule has"));
        }
        let weight = head.weight.map(|weight| checked_number(weight, "a weight", WEIGHT_MAX, source));
        let weight = weight.transpose()?.unwrap_or(WEIGHT_DEFAULT);
        let name = checked_id(head.category, "a category", source)?;
        let category = self.category(&name).unwrap_or_else(|| {
            self.categories.push(Category { name, hold: Some(weight), reject: None, with: Vec::new() });
            self.undeclared.insert(self.categories.len() - 1);
            self.categories.len() - 1
        });
        if self.undeclared.contains(&category) {
            let hold = &mut self.categories[category].hold;
            *hold = hold.map(|hold| hold.min(weight));
        }
        self.rules.push(Rule { id: id_text, category, weight, shadow: head.mode == Mode::Shadow });
        Ok(self.rules.len() - 1)
    }

    fn absorb_list(&mut self, list: &file::List, source: Source<'_>) -> Result<(), RulesError> {
        let rule = self.rule(&head!(list), source)?;
        let mut seen = HashSet::new();
        match (&list.terms, &list.file) {
            (None, None) => Err(source.invalid(&list.id.span(), "a list without terms", "`terms`, `file` or both")),
            (terms, file) => {
                if let Some(terms) = terms {
                    self.absorb_terms(terms, Some(rule), list.words, &mut seen, source)?;
                }
                file.as_ref().map_or(Ok(()), |file| self.absorb_file(file, rule, list.words, &mut seen, source))
            }
        }
    }

    /// A word list: one term a line, `#` begins a comment.
    fn absorb_file(
        &mut self,
        name: &Spanned<String>,
        rule: usize,
        words: bool,
        seen: &mut HashSet<String>,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let beside = Path::new(name.get_ref());
        if !beside.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
            let found = format!("the file {:?}", name.get_ref());
            return Err(source.invalid(&name.span(), found, "the name of a file beside the rules file, or below"));
        }
        let path = Path::new(source.origin).parent().unwrap_or(Path::new("")).join(beside);
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| source.invalid(&name.span(), format!("{origin}: {error}"), "a word list in UTF-8"))?;
        let list = Source { origin: &origin, text: &text };
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let term = line.split(" #").next().unwrap_or_default().trim_end();
            if !term.trim().is_empty() && !term.starts_with('#') {
                let term = Spanned::new(start..start + term.len(), term.to_owned());
                self.absorb_term(&term, Some(rule), words, seen, list)?;
            }
            start += line.len();
        }
        self.files.push(text);
        Ok(())
    }

    fn absorb_terms(
        &mut self,
        terms: &Spanned<Vec<Spanned<String>>>,
        rule: Option<usize>,
        words: bool,
        seen: &mut HashSet<String>,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        if terms.get_ref().is_empty() {
            return Err(source.invalid(&terms.span(), "no term", "at least one"));
        }
        terms.get_ref().iter().try_for_each(|term| self.absorb_term(term, rule, words, seen, source))
    }

    /// A term that is there already (case and width make no difference) is the same term.
    fn absorb_term(
        &mut self,
        term: &Spanned<String>,
        rule: Option<usize>,
        words: bool,
        seen: &mut HashSet<String>,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let text = checked_term(term, source)?;
        if seen.insert(text.clone()) {
            self.terms.push(Term { text, rule, words });
        }
        Ok(())
    }

    fn absorb_link(&mut self, link: &file::Link, source: Source<'_>) -> Result<(), RulesError> {
        let rule = self.rule(&head!(link), source)?;
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
            return Err(source.invalid(&link.id.span(), "a link rule that asks nothing", expected));
        }
        for host in hosts {
            self.links.hosts.entry(checked_host(host, source)?).or_default().push(rule);
        }
        for host in imitated {
            self.links.imitated.add(&checked_host(host, source)?, rule);
        }
        self.links.asked.extend(asked.into_iter().flatten().map(|asked| (asked, rule)));
        Ok(())
    }

    fn absorb_combination(&mut self, combination: &file::Combination, source: Source<'_>) -> Result<(), RulesError> {
        let known = |id: &Spanned<String>| {
            let rule = self.rules.iter().position(|rule| rule.id == *id.get_ref());
            rule.ok_or_else(|| {
                source.invalid(&id.span(), format!("the unknown rule {:?}", id.get_ref()), "the id of a rule above")
            })
        };
        let all = combination.all.get_ref().iter().map(known).collect::<Result<Vec<_>, _>>()?;
        let any = combination.any.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() || all.len() + any.len() < 2 {
            return Err(source.invalid(&combination.all.span(), "fewer than two rules", "two rules or more"));
        }
        let within = combination.within.as_ref();
        let within = within.map(|bytes| checked_number(bytes, "a distance", WITHIN_MAX, source)).transpose()?;
        let rule = self.rule(&head!(combination), source)?;
        self.combinations.push(Combination { rule, all, any, within: within.map(|bytes| bytes as usize) });
        Ok(())
    }

    fn absorb_allow(&mut self, allow: &file::Allow, source: Source<'_>) -> Result<(), RulesError> {
        if let Some(phrases) = &allow.phrases {
            self.absorb_terms(phrases, None, allow.words, &mut HashSet::new(), source)?;
        }
        for regex in &allow.patterns {
            self.patterns.push(Pattern { regex: compiled(regex, source)?, rule: None });
        }
        for host in allow.hosts.iter().flatten() {
            self.links.allowed.insert(checked_host(host, source)?);
        }
        Ok(())
    }
}

/// The rules of one file, on top of those it builds on.
pub(super) fn read(file: &RulesFile, source: Source<'_>, builtin: Source<'_>) -> Result<Rules, RulesError> {
    let mut rules = Rules::default();
    match file.extend {
        Some(Base::Builtin) => rules.absorb(&parse(builtin)?, builtin)?,
        None => {}
    }
    rules.absorb(file, source)?;
    Ok(rules)
}

/// The keys of a file, before anything is asked of their values.
pub(super) fn parse(source: Source<'_>) -> Result<RulesFile, RulesError> {
    toml::from_str(source.text).map_err(|error| source.malformed(&error))
}
