//! The file of senders.
//!
//! ```toml
//! [[sender]]
//! name = "forum"
//! token_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! rate = 50    # posts a second; without it, as many as there are
//! burst = 200  # and so many at once; by default, as many as a second has
//! ```
//!
//! It holds no secret, but who may write it decides who may post, and who may read it learns who does. So it is refused
//! if everybody on the machine may do either.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Deserialize;
use sluice_core::config::ConfigError;
use sluice_core::name::SenderName;
use sluice_core::visible::cut;
use sluice_runtime::token::TokenHash;
use sluice_runtime::toml_file;
use toml::Spanned;

use super::SETTING;
use super::rate::Rate;

/// The most senders: each request is compared with all of them.
const MOST: usize = 1000;
/// The rights of all others: to read and to write.
const OTHERS: u32 = 0o006;

/// What the file says of one sender.
pub(super) struct Entry {
    pub(super) name: SenderName,
    pub(super) token: TokenHash,
    /// None: it may be as fast as it can.
    pub(super) rate: Option<Rate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sender: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    token_sha256: String,
    rate: Option<f64>,
    burst: Option<u32>,
}

/// Reads the file.
///
/// # Errors
/// What is wrong with it, by name and line, without a hash.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let read = || {
        let mode = fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(format!("every user of this machine may read or change it (mode {mode:o}); run chmod o-rw"));
        }
        parse(&toml_file::read(path)?)
    };
    read().map_err(|problem| toml_file::wrong(SETTING, path, &problem))
}

fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let File { sender: rows } = toml_file::parse(text)?;
    if rows.len() > MOST {
        return Err(format!("{} senders are more than {MOST}", rows.len()));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in rows {
        let line = toml_file::line(text, row.span().start);
        let Row { name, token_sha256, rate, burst } = row.into_inner();
        let wrong = |problem: String| format!("sender `{}` (line {line}): {problem}", cut(&name, 60));
        let sender: SenderName = name.parse().map_err(wrong)?;
        let token = TokenHash::from_hex(&token_sha256).ok_or_else(|| {
            wrong("token_sha256 has to be 64 hexadecimal digits, as `sluice-producer token` prints them".to_owned())
        })?;
        if entries.iter().any(|other| other.name == sender) {
            return Err(wrong("there are two of this name; give each its own".to_owned()));
        }
        if let Some(other) = entries.iter().find(|other| other.token.is(&token)) {
            return Err(wrong(format!("sender `{}` has the same token; make one for each", other.name)));
        }
        let rate = match (rate, burst) {
            (Some(rate), burst) => Some(Rate::new(rate, burst).map_err(wrong)?),
            (None, Some(_)) => return Err(wrong("burst needs a rate".to_owned())),
            (None, None) => None,
        };
        entries.push(Entry { name: sender, token, rate });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, token: &str, rest: &str) -> String {
        format!("[[sender]]\nname = \"{name}\"\ntoken_sha256 = \"{}\"\n{rest}\n", TokenHash::of(token).to_hex())
    }

    #[test]
    fn senders_are_read_with_and_without_a_rate() {
        let text =
            row("forum", "one", "rate = 50\nburst = 200") + &row("blog", "two", "rate = 0.5") + &row("x", "y", "");
        let entries = parse(&text).expect("it is in order");
        let rates: Vec<Option<Rate>> = entries.iter().map(|entry| entry.rate).collect();
        assert_eq!(rates, [Rate::new(50.0, Some(200)).ok(), Rate::new(0.5, None).ok(), None]);
        assert!(entries[0].token.is(&TokenHash::of("one")) && entries[1].name.as_str() == "blog");
        assert!(parse("").expect("nobody may send").is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_line_and_without_the_hash() {
        let good = row("forum", "one", "rate = 1");
        for (text, said) in [
            (good.replace("forum", "a b"), "sender `a b` (line 1): the name has to be"),
            (format!("{good}{}", row("forum", "two", "")), "sender `forum` (line 5): there are two"),
            (format!("{good}{}", row("blog", "one", "")), "sender `blog` (line 5): sender `forum` has the same token"),
            (good.replace("rate = 1", "rate = 0"), "sender `forum` (line 1): rate is 0"),
            (good.replace("rate = 1", "rate = -1"), "rate is -1"),
            (good.replace("rate = 1", "rate = nan"), "rate is NaN"),
            (good.replace("rate = 1", "rate = \"fast\""), "line 4"),
            (good.replace("rate = 1", "rate = 1\nburst = 0"), "burst is 0"),
            (good.replace("rate = 1", "burst = 5"), "burst needs a rate"),
            (good.replace("rate = 1", "speed = 1"), "line 4: unknown field `speed`"),
            (good.replace("token_sha256 = \"", "token_sha256 = \"zz"), "64 hexadecimal digits"),
            (good.replace("token_sha256", "token"), "unknown field `token`"),
            (good.replace("[[sender]]", "[[senders]]"), "unknown field `senders`"),
            (good.replace("name", "# name"), "name"),
        ] {
            let problem = parse(&text).err().expect(said);
            assert!(problem.contains(said), "{said}: {problem}");
            assert!(!problem.contains(&TokenHash::of("one").to_hex()[..16]), "{problem}");
        }
    }

    #[test]
    fn a_file_that_everybody_may_read_or_change_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("senders.toml");
        fs::write(&path, row("forum", "one", "")).expect("a file");
        for (mode, fits) in [(0o600, true), (0o640, true), (0o644, false), (0o602, false), (0o660, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
            let refused = read(&path).err();
            assert_eq!(refused.is_none(), fits, "{mode:o}");
            assert!(
                refused.is_none_or(|error| error.setting == SETTING && error.problem.contains("chmod")),
                "{mode:o}"
            );
        }
        assert!(read(&folder.path().join("none")).is_err());
    }
}
