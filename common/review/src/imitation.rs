//! Hosts that pass for others: `paypa1.com`, `paypal.com.example.help`, `paypal-login.example`.

use std::collections::HashMap;

use super::host::above;
use super::table::look_alike;

/// The shortest name of which also one wrong letter is seen: shorter ones are one letter away from ordinary words.
const ONE_WRONG_MIN: usize = 8;

/// Hosts that others may pass for.
#[derive(Debug, Default)]
pub(super) struct Imitated {
    /// By host: the rules that name it.
    hosts: HashMap<String, Vec<usize>>,
    names: Vec<Name>,
}

/// What people know a host by: the `paypal` of `www.paypal.com`.
#[derive(Debug)]
struct Name {
    written: String,
    /// As it looks.
    shape: String,
    rule: usize,
}

impl Imitated {
    pub(super) fn add(&mut self, host: &str, rule: usize) {
        if let Some((name, _)) = parts(host) {
            let (written, shape) = (name.to_owned(), shape(name));
            if !self.names.iter().any(|known| known.written == written && known.rule == rule) {
                self.names.push(Name { written, shape, rule });
            }
        }
        self.hosts.entry(host.to_owned()).or_default().push(rule);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The rules that name a host that this one, in lower case, passes for.
    pub(super) fn by(&self, host: &str) -> Vec<usize> {
        let Some((name, before)) = parts(host) else { return Vec::new() };
        // A real one, and all below it.
        if self.is_empty() || above(host).any(|host| self.hosts.contains_key(host)) {
            return Vec::new();
        }
        let mut rules: Vec<usize> = self.inside(before).chain(self.likened(host, name)).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// Those that stand whole among the labels that anybody can put before a domain.
    fn inside<'a>(&'a self, labels: &'a str) -> impl Iterator<Item = usize> + 'a {
        let starts = above(labels);
        let ends = |rest: &'a str| rest.match_indices('.').map(|(end, _)| end).chain([rest.len()]).take(LABELS_MAX);
        let stretches = starts.flat_map(move |rest| ends(rest).map(|end| &rest[..end]));
        stretches.filter_map(|stretch| self.hosts.get(stretch)).flatten().copied()
    }

    /// Those whose name the domain's name has in it, as a part between dashes or in letters that look like it.
    fn likened<'a>(&'a self, host: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        // Whoever lets others have names below his own has projects there that are called after what they are for.
        let bought = psl::suffix(host.as_bytes()).is_none_or(|suffix| suffix.typ() != Some(psl::Type::Private));
        let parted = name.contains('-') && bought;
        name.split('-').filter(|part| part.len() > 2).flat_map(move |part| {
            let shape = shape(part);
            let passes_for = move |name: &&Name| match part == name.written {
                true => parted,
                false => shape == name.shape || has_one_wrong(&shape, &name.shape),
            };
            self.names.iter().filter(passes_for).map(|name| name.rule)
        })
    }
}

/// The most labels of a host that is imitated.
const LABELS_MAX: usize = 4;

/// The name that somebody registered, without its public ending, and what stands before it.
fn parts(host: &str) -> Option<(&str, &str)> {
    let domain = psl::domain(host.as_bytes())?;
    let whole = domain.as_bytes().len();
    let name = domain.as_bytes().len() - domain.suffix().as_bytes().len() - 1;
    let start = host.len().checked_sub(whole)?;
    Some((host.get(start..start + name)?, host[..start].trim_end_matches('.')))
}

/// What a name looks like: letters for what looks like them, `m` for `rn`, and one of each that repeats.
fn shape(name: &str) -> String {
    let letter = |c: char| match look_alike(c).unwrap_or(c) {
        '0' => 'o',
        '1' | 'i' | '|' => 'l',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        c => c,
    };
    let plain = name.replace("rn", "m").replace("vv", "w");
    let mut shape = String::with_capacity(plain.len());
    for c in plain.chars().map(letter) {
        if !shape.ends_with(c) {
            shape.push(c);
        }
    }
    shape
}

/// Whether one letter is another one, too many, missing, or changed places with its neighbour. The first is right: that
/// is where people look. A plural is another word.
fn has_one_wrong(one: &str, two: &str) -> bool {
    let (one, two) = (one.as_bytes(), two.as_bytes());
    if one.len().abs_diff(two.len()) > 1 || two.len() < ONE_WRONG_MIN || one.first() != two.first() {
        return false;
    }
    let same = one.iter().zip(two).take_while(|(one, two)| one == two).count();
    let (one, two) = (&one[same..], &two[same..]);
    match (one, two) {
        ([], _) | (_, []) => one != b"s",
        ([a, b, one @ ..], [c, d, two @ ..]) if a == d && b == c && one == two => true,
        ([_, rest @ ..], two) if rest == two => true,
        (one, [_, rest @ ..]) if one == rest => true,
        ([_, one @ ..], [_, two @ ..]) => one == two,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_pass_for_others_are_told_from_them_and_from_other_words() {
        let mut imitated = Imitated::default();
        for host in ["paypal.com", "steamcommunity.com", "icbc.com.cn", "apple.com", "facebook.com", "amazon.com"] {
            imitated.add(host, 7);
        }
        for host in [
            "paypa1.com",
            "paypal-login.net",
            "secure-paypal.co.uk",
            "paypal.com.check.help",
            "www.amazon.com.a.b.shop",
            "steamcomrnunity.com",
            "steamcommunlty-gift.ru",
            "faceboook.com",
            "facebok-help.com",
            "www.icbc-bank.cn",
            "p\u{430}ypal.com",
            "arnazon.web.app",
            "apple.com.signin.vercel.app",
        ] {
            assert_eq!(imitated.by(host), [7], "{host}");
        }
        for host in [
            "paypal.com",
            "www.paypal.com",
            "paypal.de",
            "amazon.co.jp",
            "amazon.com.au",
            "apply.com",
            "maple.org",
            "icbc.com.cn",
            "facebooks.com",
            "apple.stackexchange.com",
            "paypal-clone.github.io",
            "amazonas.gov.br",
            "a.b",
            "",
        ] {
            assert!(imitated.by(host).is_empty(), "{host}");
        }
    }
}
