//! The file of those who may use the console: programs by the API, people by the pages.
//!
//! ```toml
//! [[client]]
//! name = "forum"
//! token_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! scopes = ["read", "appeal", "write"]
//!
//! [[account]]
//! name = "ann"
//! role = "operator"
//! password_argon2 = "$argon2id$v=19$m=19456,t=2,p=1$…"
//! generation = 1 # a higher one ends all sessions
//! ```

use std::path::Path;

use serde::Deserialize;
use sluice_core::config::ConfigError;
use sluice_core::name;
use sluice_runtime::token::TokenHash;
use sluice_runtime::toml_file;
use toml::Spanned;

use super::client::Client;
use super::password::Password;
use super::person::Person;
use super::role::Role;
use super::scope::Scope;
use crate::visible::cut;

/// The most clients of a file, and the most people: each request is compared with all of the former.
const MOST: usize = 1000;
/// Who comes by the link that is printed at start where there is no file.
const LOCAL: &str = "local";

/// All who may use the console.
pub(crate) struct Accounts {
    clients: Vec<Client>,
    people: Vec<Person>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    client: Vec<Spanned<ClientEntry>>,
    #[serde(default)]
    account: Vec<Spanned<PersonEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientEntry {
    name: String,
    token_sha256: String,
    scopes: Vec<Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonEntry {
    name: String,
    role: Role,
    password_argon2: String,
    #[serde(default)]
    generation: u32,
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

    /// Where there is no file: a client with all rights, whoever has this token, and a person with all rights, whoever
    /// has the link.
    pub(crate) fn of_one(client: &str, token: &str) -> Self {
        let client = Client { name: client.to_owned(), token: TokenHash::of(token), scopes: Scope::ALL.to_vec() };
        let person = Person { name: LOCAL.to_owned(), role: Role::Admin, password: None, generation: 0 };
        Self { clients: vec![client], people: vec![person] }
    }

    /// Whose token this is. All are compared, whichever it is, so that the time says nothing.
    pub(crate) fn whose(&self, token: &str) -> Option<&Client> {
        let token = TokenHash::of(token);
        self.clients.iter().fold(None, |found, client| if client.token.is(&token) { Some(client) } else { found })
    }

    /// The person of this name.
    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    /// Whoever comes by the link; none where there is a file.
    pub(crate) fn local(&self) -> Option<&Person> {
        self.people.iter().find(|person| person.password.is_none())
    }

    /// A password to try where nobody has the name that was given, so that it takes as long.
    pub(crate) fn any_password(&self) -> Option<&Password> {
        self.people.iter().find_map(|person| person.password.as_ref())
    }

    /// How many clients and how many people there are.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.clients.len(), self.people.len())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let File { client, account } = toml_file::parse(text)?;
        for (entries, what) in [(client.len(), "clients"), (account.len(), "accounts")] {
            if entries > MOST {
                return Err(format!("{entries} {what} are more than {MOST}"));
            }
        }
        Ok(Self { clients: clients(text, client)?, people: people(text, account)? })
    }
}

fn clients(text: &str, entries: Vec<Spanned<ClientEntry>>) -> Result<Vec<Client>, String> {
    let mut clients: Vec<Client> = Vec::with_capacity(entries.len());
    for entry in entries {
        let line = toml_file::line(text, entry.span().start);
        let ClientEntry { name, token_sha256, scopes } = entry.into_inner();
        let wrong = |problem: String| format!("client `{}` (line {line}): {problem}", cut(&name, 60));
        name::check(&name).map_err(wrong)?;
        let token = TokenHash::from_hex(&token_sha256).ok_or_else(|| {
            wrong("token_sha256 has to be 64 hexadecimal digits, as `sluice console token` prints them".to_owned())
        })?;
        if clients.iter().any(|other| other.name == name) {
            return Err(wrong(TWICE.to_owned()));
        }
        if clients.iter().any(|other| other.token.is(&token)) {
            return Err(wrong("another client has the same token; make one for each".to_owned()));
        }
        clients.push(Client { name, token, scopes });
    }
    Ok(clients)
}

fn people(text: &str, entries: Vec<Spanned<PersonEntry>>) -> Result<Vec<Person>, String> {
    let mut people: Vec<Person> = Vec::with_capacity(entries.len());
    for entry in entries {
        let line = toml_file::line(text, entry.span().start);
        let PersonEntry { name, role, password_argon2, generation } = entry.into_inner();
        let wrong = |problem: String| format!("account `{}` (line {line}): {problem}", cut(&name, 60));
        name::check(&name).map_err(wrong)?;
        let password = Password::parse(&password_argon2).map_err(wrong)?;
        if people.iter().any(|other| other.name == name) {
            return Err(wrong(TWICE.to_owned()));
        }
        people.push(Person { name, role, password: Some(password), generation });
    }
    Ok(people)
}

const TWICE: &str = "there are two of this name; give each its own";

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, token: &str, scopes: &str) -> String {
        let hash = TokenHash::of(token).to_hex();
        format!("[[client]]\nname = \"{name}\"\ntoken_sha256 = \"{hash}\"\nscopes = [{scopes}]\n")
    }

    fn account(name: &str, role: &str) -> String {
        let hash = Password::hash("secret").expect("the kernel has chance");
        format!("[[account]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_argon2 = \"{}\"\n", hash.as_str())
    }

    #[test]
    fn a_client_is_found_by_its_token_and_may_what_its_scopes_say() {
        let text = file("forum", "one", "\"read\", \"appeal\"") + &file("tool", "two", "\"moderate\"");
        let accounts = Accounts::parse(&text).expect("it is in order");
        let forum = accounts.whose("one").expect("it is the forum's");
        assert_eq!((forum.name.as_str(), forum.scopes().as_str()), ("forum", "read, appeal"));
        assert!(forum.may(Scope::Read) && !forum.may(Scope::Write) && !forum.may(Scope::Moderate));
        assert!(accounts.whose("").is_none() && accounts.whose("three").is_none());
        assert!(accounts.local().is_none() && accounts.any_password().is_none());
    }

    #[test]
    fn a_person_is_found_by_name_and_only_without_a_file_is_there_one_without_a_password() {
        let text = account("ann", "lead") + "generation = 3\n" + &account("bob", "viewer");
        let accounts = Accounts::parse(&text).expect("it is in order");
        let ann = accounts.person("ann").expect("she is in it");
        assert_eq!((ann.role, ann.generation, accounts.count()), (Role::Lead, 3, (0, 2)));
        assert!(ann.password.as_ref().is_some_and(|password| password.is("secret")));
        assert!(accounts.person("Ann").is_none() && accounts.local().is_none());
        let local = Accounts::of_one("console", "token");
        assert!(local.local().is_some_and(|person| person.role == Role::Admin));
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_line_and_without_the_hash() {
        let good = file("forum", "one", "\"read\"");
        let person = account("ann", "lead");
        for (text, said) in [
            (good.replace("forum", "a b"), "client `a b` (line 1)"),
            (format!("{good}\n{}", file("forum", "two", "")), "client `forum` (line 6): there are two"),
            (format!("{good}{}", file("other", "one", "")), "another client has the same token"),
            (good.replace("\"read\"", "\"all\""), "line 4: unknown variant `all`"),
            (good.replace("scopes", "rights"), "rights"),
            (good.replace("token_sha256 = \"", "token_sha256 = \"zz"), "64 hexadecimal digits"),
            ("[[account]]\nname = \"ann\"\npassword = \"x\"".to_owned(), "password"),
            (person.replace("ann", "a/b"), "account `a/b` (line 1)"),
            (format!("{person}{person}"), "account `ann` (line 5): there are two"),
            (person.replace("lead", "chief"), "line 3: unknown variant `chief`"),
            (person.replace("$argon2id", "$argon9"), "account `ann` (line 1): password_argon2 has to be"),
        ] {
            let problem = Accounts::parse(&text).err().expect(said);
            assert!(problem.contains(said), "{said}: {problem}");
            assert!(!problem.contains(&TokenHash::of("one").to_hex()) && !problem.contains("m=19456"), "{problem}");
        }
    }
}
