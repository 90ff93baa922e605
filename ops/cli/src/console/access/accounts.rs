//! The file of those who may use the API.
//!
//! ```toml
//! [[client]]
//! name = "forum"
//! token_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! scopes = ["read", "appeal", "write"]
//! ```
//!
//! `[[account]]` entries are people, for the pages. They are read past, and may already stand there.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sluice_core::config::ConfigError;
use toml::Spanned;

use super::scope::Scope;
use super::token::TokenHash;
use crate::console::toml_file;
use crate::visible::cut;

/// The most clients of a file: each request is compared with all of them.
const CLIENTS_MOST: usize = 1000;

/// A program that uses the API.
#[derive(Clone)]
pub(crate) struct Client {
    /// Its name.
    pub(crate) name: String,
    token: TokenHash,
    scopes: Vec<Scope>,
}

impl Client {
    /// Whether it may do what needs this.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Its rights, for people.
    pub(crate) fn scopes(&self) -> String {
        self.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// All clients.
pub(crate) struct Accounts(Vec<Client>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    client: Vec<Spanned<Entry>>,
    #[serde(default, rename = "account")]
    _account: Vec<Person>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    token_sha256: String,
    scopes: Vec<Scope>,
}

/// A person, whom only the pages will know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    #[serde(rename = "name")]
    _name: IgnoredAny,
    #[serde(rename = "role")]
    _role: Option<IgnoredAny>,
    #[serde(rename = "password_argon2")]
    _password: Option<IgnoredAny>,
}

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, by name and line.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let parsed = toml_file::read(path).and_then(|text| Self::parse(&text));
        parsed.map_err(|problem| toml_file::wrong("SLUICE_ACCOUNTS", path, &problem))
    }

    /// One client with all rights: whoever has this token.
    pub(crate) fn of_one(name: &str, token: &str) -> Self {
        Self(vec![Client { name: name.to_owned(), token: TokenHash::of(token), scopes: Scope::ALL.to_vec() }])
    }

    /// Whose token this is. All are compared, whichever it is, so that the time says nothing.
    pub(crate) fn whose(&self, token: &str) -> Option<&Client> {
        let token = TokenHash::of(token);
        self.0.iter().fold(None, |found, client| if client.token.is(&token) { Some(client) } else { found })
    }

    /// How many clients there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let File { client: entries, _account } = toml_file::parse(text)?;
        if entries.len() > CLIENTS_MOST {
            return Err(format!("{} clients are more than {CLIENTS_MOST}", entries.len()));
        }
        let mut clients: Vec<Client> = Vec::with_capacity(entries.len());
        for entry in entries {
            let line = toml_file::line(text, entry.span().start);
            let Entry { name, token_sha256, scopes } = entry.into_inner();
            let wrong = |problem: String| format!("client `{}` (line {line}): {problem}", cut(&name, 60));
            check_name(&name).map_err(wrong)?;
            let token = TokenHash::from_hex(&token_sha256).ok_or_else(|| {
                wrong("token_sha256 has to be 64 hexadecimal digits, as `sluice console token` prints them".to_owned())
            })?;
            if clients.iter().any(|other| other.name == name) {
                return Err(wrong("there are two of this name; give each its own".to_owned()));
            }
            if clients.iter().any(|other| other.token.is(&token)) {
                return Err(wrong("another client has the same token; make one for each".to_owned()));
            }
            clients.push(Client { name, token, scopes });
        }
        Ok(Self(clients))
    }
}

/// Whether a client may be called so: it stands in logs and beside decisions.
///
/// # Errors
/// What is taken.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match (1..=50).contains(&name.len()) && name.chars().all(fits) {
        true => Ok(()),
        false => Err("the name has to be 1 to 50 letters, digits, `_`, `-` or `.`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, token: &str, scopes: &str) -> String {
        let hash = TokenHash::of(token).to_hex();
        format!("[[client]]\nname = \"{name}\"\ntoken_sha256 = \"{hash}\"\nscopes = [{scopes}]\n")
    }

    #[test]
    fn a_client_is_found_by_its_token_and_may_what_its_scopes_say() {
        let people = "[[account]]\nname = \"ann\"\nrole = \"lead\"\npassword_argon2 = \"$argon2id$…\"\n";
        let text = file("forum", "one", "\"read\", \"appeal\"") + &file("tool", "two", "\"moderate\"") + people;
        let accounts = Accounts::parse(&text).expect("it is in order");
        let forum = accounts.whose("one").expect("it is the forum's");
        assert_eq!((forum.name.as_str(), forum.scopes().as_str()), ("forum", "read, appeal"));
        assert!(forum.may(Scope::Read) && !forum.may(Scope::Write) && !forum.may(Scope::Moderate));
        assert!(accounts.whose("").is_none() && accounts.whose("three").is_none());
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_line_and_without_the_hash() {
        let good = file("forum", "one", "\"read\"");
        for (text, said) in [
            (good.replace("forum", "a b"), "client `a b` (line 1)"),
            (format!("{good}\n{}", file("forum", "two", "")), "client `forum` (line 6): there are two"),
            (format!("{good}{}", file("other", "one", "")), "another client has the same token"),
            (good.replace("\"read\"", "\"all\""), "line 4: unknown variant `all`"),
            (good.replace("scopes", "rights"), "rights"),
            (good.replace("token_sha256 = \"", "token_sha256 = \"zz"), "64 hexadecimal digits"),
            ("[[account]]\nname = \"ann\"\npassword = \"x\"".to_owned(), "password"),
        ] {
            let problem = Accounts::parse(&text).err().expect(said);
            assert!(problem.contains(said) && !problem.contains(&TokenHash::of("one").to_hex()), "{said}: {problem}");
        }
    }
}
