//! The file of endpoints: where decisions are sent.
//!
//! ```toml
//! [[endpoint]]
//! name = "forum"
//! url = "https://forum.example/hooks/sluice"
//! secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
//!
//! [[endpoint]]
//! name = "exchange"
//! kind = "exchange"
//! ```
//!
//! `secrets = ["whsec_new…", "whsec_old…"]` signs with each of them, while the receiver changes from one to the other.

use std::path::Path;

use http::Uri;
use serde::Deserialize;
use sluice_core::config::ConfigError;
use sluice_core::name;
use sluice_runtime::toml_file;
use toml::{Spanned, Value};

use super::signature::Secret;
use crate::visible::cut;

/// The setting that names the file.
const SETTING: &str = "SLUICE_ENDPOINTS";
/// The most endpoints of a file: each has a task of its own that asks the database.
const ENDPOINTS_MOST: usize = 50;
/// The most secrets of an endpoint.
const SECRETS_MOST: usize = 4;

/// One place where decisions are sent.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Its name, by which the database knows it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) target: Target,
}

/// Where an endpoint is.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A webhook.
    Webhook {
        /// Its address. It may hold what only the forum is to know, so it is not shown.
        url: Hidden,
        /// What its events are signed with.
        secrets: Vec<Secret>,
    },
    /// The exchange for decisions in RabbitMQ.
    Exchange,
}

/// An address that is in no text form.
#[derive(Clone)]
pub(crate) struct Hidden(Uri);

impl Hidden {
    /// The address, for whoever sends there.
    pub(crate) fn expose(&self) -> &Uri {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(an address)")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    endpoint: Vec<Spanned<Entry>>,
}

/// As values, because what the library says of a wrong one holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: Option<Value>,
    url: Option<Value>,
    secret: Option<Value>,
    secrets: Option<Value>,
}

/// Reads the file.
///
/// # Errors
/// What is wrong with it, by name and line, and without a secret or an address.
pub(crate) fn read(path: &Path) -> Result<Vec<Endpoint>, ConfigError> {
    let parsed = toml_file::read(path).and_then(|text| parse(&text));
    parsed.map_err(|problem| toml_file::wrong(SETTING, path, &problem))
}

fn parse(text: &str) -> Result<Vec<Endpoint>, String> {
    let File { endpoint: entries } = toml_file::parse(text)?;
    if entries.len() > ENDPOINTS_MOST {
        return Err(format!("{} endpoints are more than {ENDPOINTS_MOST}", entries.len()));
    }
    let mut endpoints: Vec<Endpoint> = Vec::with_capacity(entries.len());
    for entry in entries {
        let line = toml_file::line(text, entry.span().start);
        let entry = entry.into_inner();
        let name = entry.name.clone();
        let wrong = |problem: String| format!("endpoint `{}` (line {line}): {problem}", cut(&name, 60));
        name::check(&name).map_err(&wrong)?;
        if endpoints.iter().any(|other| other.name == name) {
            return Err(wrong("there are two of this name; give each its own".to_owned()));
        }
        let target = entry.target().map_err(&wrong)?;
        if matches!(target, Target::Exchange) && endpoints.iter().any(|other| matches!(other.target, Target::Exchange))
        {
            return Err(wrong("the exchange is there twice; there is only one".to_owned()));
        }
        endpoints.push(Endpoint { name, target });
    }
    Ok(endpoints)
}

impl Entry {
    fn target(self) -> Result<Target, String> {
        let url = self.url.as_ref().map(|url| url.as_str().ok_or("url has to be a text")).transpose()?;
        let kind = self.kind.as_ref().map(|kind| kind.as_str().ok_or("kind has to be a text")).transpose()?;
        let exchange = match (kind, url) {
            (None, Some("amqp:")) | (Some("exchange"), None | Some("amqp:")) => true,
            (None | Some("webhook"), Some(_)) => false,
            (None | Some("webhook"), None) => return Err("url is missing".to_owned()),
            (Some("exchange"), Some(_)) => return Err("an exchange has no url but `amqp:`".to_owned()),
            (Some(_), _) => return Err("kind has to be `webhook` or `exchange`".to_owned()),
        };
        let given = self.secret.is_some() || self.secrets.is_some();
        if exchange {
            return if given { Err("an exchange has no secret".to_owned()) } else { Ok(Target::Exchange) };
        }
        Ok(Target::Webhook { url: address(url.unwrap_or_default())?, secrets: self.secrets()? })
    }

    fn secrets(self) -> Result<Vec<Secret>, String> {
        let listed = match (self.secret, self.secrets) {
            (Some(one), None) => vec![one],
            (None, Some(Value::Array(list))) => list,
            (None, Some(_)) => return Err("secrets has to be a list".to_owned()),
            (Some(_), Some(_)) => return Err("secret and secrets are both there; keep secrets".to_owned()),
            (None, None) => return Err("secret is missing".to_owned()),
        };
        if !(1..=SECRETS_MOST).contains(&listed.len()) {
            return Err(format!("{} secrets; there have to be 1 to {SECRETS_MOST}", listed.len()));
        }
        let read = |value: &Value| value.as_str().and_then(Secret::read);
        let secrets = listed.iter().map(read).collect::<Option<Vec<_>>>();
        secrets.ok_or_else(|| {
            "a secret has to be `whsec_` and the base64 of 24 to 64 bytes; make one with: \
             echo whsec_$(head -c 32 /dev/urandom | base64)"
                .to_owned()
        })
    }
}

fn address(text: &str) -> Result<Hidden, String> {
    let form = || "url has to be an address like https://forum.example/hooks/sluice, or `amqp:`".to_owned();
    let url = url::Url::parse(text).map_err(|_| form())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(form());
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("url holds a user, a password or a fragment; events are signed instead (secret)".to_owned());
    }
    url.as_str().parse().map(Hidden).map_err(|_| form())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn file(lines: &str) -> String {
        format!("# ours\n[[endpoint]]\nname = \"forum\"\n{lines}")
    }

    #[test]
    fn a_webhook_has_an_address_and_secrets_and_the_exchange_has_neither() {
        let text = file(&format!(
            "url = \"https://forum.example/hook?key=hunter2\"\nsecrets = [\"{SECRET}\", \"{SECRET}\"]\n"
        )) + "[[endpoint]]\nname = \"bus\"\nurl = \"amqp:\"\n";
        let endpoints = parse(&text).expect("it is in order");
        assert!(matches!(&endpoints[0].target, Target::Webhook { secrets, .. } if secrets.len() == 2));
        assert!(matches!(endpoints[1].target, Target::Exchange));
        assert!(!format!("{endpoints:?}").contains("hunter2") && !format!("{endpoints:?}").contains("MfKQ"));
        assert!(matches!(parse(&file("kind = \"exchange\"")).expect("the same")[0].target, Target::Exchange));
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_line_and_without_a_secret() {
        let good = format!("url = \"http://127.0.0.1:1/\"\nsecret = \"{SECRET}\"\n");
        for (lines, said) in [
            (
                good.replace("http://127.0.0.1:1/", "forum.example"),
                "endpoint `forum` (line 2): url has to be an address",
            ),
            (good.replace("http://", "ftp://"), "url has to be an address"),
            (good.replace("127.0.0.1", "me:hunter2@h"), "a user, a password"),
            (good.replace("secret =", "# "), "secret is missing"),
            (good.replace("whsec_", ""), "has to be `whsec_`"),
            (good.replace("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ"), "24 to 64 bytes"),
            (good.replace("secret =", "secrets ="), "secrets has to be a list"),
            (good.replace("secret =", "secert ="), "line 5: unknown field `secert`"),
            (format!("{good}kind = \"mail\"\n"), "kind has to be"),
            (format!("{good}kind = \"exchange\"\n"), "an exchange has no url"),
            (format!("{good}[[endpoint]]\nname = \"forum\"\n{good}"), "endpoint `forum` (line 6): there are two"),
            (good.replace("secret = ", "secret = MfKQ"), "line 5"),
        ] {
            let problem = parse(&file(&lines)).expect_err(said);
            assert!(problem.contains(said), "{said}: {problem}");
            assert!(!problem.contains("MfKQ") && !problem.contains("hunter2"), "{problem}");
        }
    }
}
