//! The policies: the reasons that a decision may name, each with a text for the author. A TOML file of the forum's own.
//!
//! ```toml
//! [[policy]]
//! id = "advertising"
//! title = "Advertising"
//! message = "Posts that advertise are not shown. You may link to your own work in your profile."
//! categories = ["spam", "contact"]
//! ```

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sluice_core::config::ConfigError;
use sluice_mysql::review::Ruling;

use crate::visible::cut;

/// The setting that names the file.
const SETTING: &str = "SLUICE_POLICIES";
/// The most bytes of a file.
const FILE_MAX_BYTES: u64 = 1024 * 1024;
/// The longest text for an author, in characters.
pub(crate) const MESSAGE_MAX_CHARS: usize = 2000;
/// The most policies that one decision names.
pub(crate) const NAMED_MOST: usize = 10;

/// Where the policies are.
#[derive(Debug, Clone, Args)]
pub(crate) struct PolicyArgs {
    /// TOML file of policies, the reasons for decisions; with it, a rejection has to name one [default: none]
    #[arg(long, env = "SLUICE_POLICIES", value_name = "FILE")]
    pub(crate) policies: Option<PathBuf>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// What decisions name it by.
    pub(crate) id: String,
    /// For people who choose it.
    pub(crate) title: String,
    /// For the author of a post that is rejected by it.
    pub(crate) message: String,
    /// The categories of rules that propose it.
    #[serde(default)]
    pub(crate) categories: Vec<String>,
}

/// The policies of a file, or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    /// Which file: its name, `@` and the first twelve hexadecimal digits of its hash. None: there is no file.
    pub(crate) set: Option<String>,
    list: Vec<Policy>,
}

/// Why a decision's reasons are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReasonError {
    /// A rejection names none.
    #[error("a rejection has to name a policy; {SETTING} has {known}")]
    Missing {
        /// The ids that there are.
        known: String,
    },
    /// There is no such policy.
    #[error("`{id}` is no policy; {SETTING} has {known}")]
    Unknown {
        /// What was named.
        id: String,
        /// The ids that there are.
        known: String,
    },
    /// There are too many of them, or the text is too long.
    #[error("{0}")]
    TooMuch(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policy: Vec<Policy>,
}

impl PolicyArgs {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(&self) -> Result<Policies, ConfigError> {
        match &self.policies {
            None => Ok(Policies::default()),
            Some(path) => Policies::read(path).map_err(|problem| {
                ConfigError::new(SETTING, format!("{}: {problem}", cut(&path.display().to_string(), 200)))
            }),
        }
    }
}

impl Policies {
    fn read(path: &Path) -> Result<Self, String> {
        let text = sluice_runtime::regular::read(path, FILE_MAX_BYTES).map_err(|error| error.to_string())?;
        let text = String::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::parse(&text, &name)
    }

    fn parse(text: &str, name: &str) -> Result<Self, String> {
        let File { policy: list } = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for (index, Policy { id, title, message, .. }) in list.iter().enumerate() {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            if id.is_empty() || id.len() > 50 || !id.chars().all(fits) {
                let (nth, id) = (index + 1, cut(id, 60));
                return Err(format!("policy {nth}: id `{id}`: 1 to 50 letters, digits, `_`, `-` or `.`"));
            }
            if list[..index].iter().any(|other| other.id == *id) {
                return Err(format!("there are two policies `{id}`; give each an id of its own"));
            }
            if title.trim().is_empty() || message.trim().is_empty() {
                return Err(format!("policy `{id}` needs a title and a message"));
            }
            if message.chars().count() > MESSAGE_MAX_CHARS {
                return Err(format!("policy `{id}`: the message is longer than {MESSAGE_MAX_CHARS} characters"));
            }
        }
        if list.is_empty() {
            return Err("it has no [[policy]]".to_owned());
        }
        let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let name: String = name.chars().take(80).collect();
        Ok(Self { set: Some(format!("{name}@{}", &hash[..12])), list })
    }

    /// All of them.
    pub(crate) fn list(&self) -> &[Policy] {
        &self.list
    }

    /// Holds a decision's reasons against the policies, and gives the text for the author: the one that was written, or
    /// else those of the policies.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn check(
        &self,
        ruling: Ruling,
        named: &[String],
        message: Option<&str>,
    ) -> Result<Option<String>, ReasonError> {
        let ids: Vec<&str> = self.list.iter().map(|policy| policy.id.as_str()).collect();
        let known = || if ids.is_empty() { "none: it is not set".to_owned() } else { ids.join(", ") };
        let find = |id: &String| {
            let found = self.list.iter().find(|policy| policy.id == *id);
            found.ok_or_else(|| ReasonError::Unknown { id: cut(id, 60), known: known() })
        };
        let named = named.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        if ruling == Ruling::Reject && named.is_empty() && !self.list.is_empty() {
            return Err(ReasonError::Missing { known: known() });
        }
        if named.len() > NAMED_MOST {
            return Err(ReasonError::TooMuch(format!("{} policies are more than {NAMED_MOST}", named.len())));
        }
        let texts = || named.iter().map(|policy| policy.message.trim()).collect::<Vec<_>>().join("\n\n");
        let of_policies = || (ruling == Ruling::Reject && !named.is_empty()).then(texts);
        let message = message.map(str::to_owned).or_else(of_policies);
        let long = message.as_ref().map_or(0, |message| message.chars().count());
        if long > MESSAGE_MAX_CHARS {
            let problem = format!("the message has {long} characters, more than {MESSAGE_MAX_CHARS}");
            return Err(ReasonError::TooMuch(problem));
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[[policy]]\nid = \"ads\"\ntitle = \"Ads\"\nmessage = \"No ads.\"\ncategories = [\"spam\"]\n\
                        [[policy]]\nid = \"rude\"\ntitle = \"Rude\"\nmessage = \"Be kind.\"\n";

    #[test]
    fn a_rejection_names_a_policy_and_the_author_gets_its_text() {
        let policies = Policies::parse(FILE, "policies.toml").expect("it is in order");
        assert!(policies.set.as_deref().is_some_and(|set| set.starts_with("policies.toml@")));
        let named = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let check = |ruling, ids: &[&str], text| policies.check(ruling, &named(ids), text);
        assert_eq!(check(Ruling::Reject, &["ads", "rude"], None), Ok(Some("No ads.\n\nBe kind.".to_owned())));
        assert_eq!(check(Ruling::Reject, &["ads"], Some("See the rules.")), Ok(Some("See the rules.".to_owned())));
        assert_eq!(check(Ruling::Approve, &[], None), Ok(None));
        assert!(
            matches!(check(Ruling::Reject, &[], None), Err(ReasonError::Missing { known }) if known == "ads, rude")
        );
        assert!(matches!(check(Ruling::Reject, &["no"], None), Err(ReasonError::Unknown { .. })));
        let long = "x".repeat(MESSAGE_MAX_CHARS + 1);
        assert!(matches!(check(Ruling::Reject, &["ads"], Some(&long)), Err(ReasonError::TooMuch(_))));
    }

    #[test]
    fn without_a_file_nothing_need_be_named_and_nothing_can_be() {
        let none = Policies::default();
        assert_eq!(none.check(Ruling::Reject, &[], None), Ok(None));
        assert!(none.check(Ruling::Reject, &["ads".to_owned()], None).is_err());
    }

    #[test]
    fn a_file_that_is_wrong_is_refused_with_what_is_wrong() {
        for (text, named) in [
            ("", "no [[policy]]"),
            ("[[policy]]\nid = \"a b\"\ntitle = \"t\"\nmessage = \"m\"", "a b"),
            ("[[policy]]\nid = \"a\"\ntitle = \"t\"", "message"),
            ("[[policy]]\nid = \"a\"\ntitle = \"t\"\nmessage = \" \"", "needs a title and a message"),
            ("[[policy]]\nid = \"a\"\ntitle = \"t\"\nmessage = \"m\"\nsevere = 1", "severe"),
        ] {
            let problem = Policies::parse(text, "p").expect_err(text);
            assert!(problem.contains(named), "{text}: {problem}");
        }
        assert!(Policies::parse(&FILE.replace("rude", "ads"), "p").expect_err("two").contains("two policies `ads`"));
    }
}
