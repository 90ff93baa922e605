//! A person with a browser that has no script: it follows no redirect by itself, keeps the cookie, and says where its
//! forms come from.

use reqwest::{Method, RequestBuilder, Response, redirect};

use crate::console::Console;
use crate::ground::Desk;

/// The password of everybody in tests.
pub(crate) const PASSWORD: &str = "a password of tests";
/// Its hash.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$0PUgDB5NQPQ7ZzLfm8UV0w$QKUZgMJwghKVWPTNCoqcmZHx635bSZneifBSkjWtbjo";

/// The accounts of one person for each role, each named like the role.
pub(crate) fn accounts() -> String {
    let roles = ["viewer", "operator", "moderator", "lead", "admin"];
    roles.map(|role| account(role, role)).concat()
}

/// One person's entry.
pub(crate) fn account(name: &str, role: &str) -> String {
    format!("[[account]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_argon2 = \"{HASH}\"\n")
}

impl Desk {
    /// A console with one person for each role.
    pub(crate) async fn pages(&self, args: &[&str]) -> Console {
        let clients = std::fs::read_to_string(self.folder.path().join("accounts.toml")).expect("it is there");
        self.file("accounts.toml", &(clients + accounts().as_str()));
        self.console(args).await
    }
}

/// A person at a console.
pub(crate) struct Visitor {
    at: String,
    http: reqwest::Client,
    /// `name=value` of each, as it was set last.
    pub(crate) cookie: Option<String>,
}

/// What they were shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) to: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) text: String,
}

impl Visitor {
    /// Nobody in particular.
    pub(crate) fn new(console: &Console) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        Self { at: console.at.clone(), http, cookie: None }
    }

    /// Somebody of this role, logged in.
    pub(crate) async fn of(console: &Console, role: &str) -> Self {
        let mut visitor = Self::new(console);
        visitor.post("/login", &[("name", role), ("password", PASSWORD)]).await.goes_to("/");
        visitor
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        self.send(self.request(Method::GET, path)).await
    }

    /// Asks for a part, as the script does.
    pub(crate) async fn part(&mut self, path: &str, id: &str, tag: Option<&str>) -> Shown {
        let request = self.request(Method::GET, path).header("sluice-part", id);
        self.send(tag.iter().fold(request, |request, tag| request.header("if-none-match", *tag))).await
    }

    /// Sends a form that stood on a page of the console.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let request = self.request(Method::POST, path).header("origin", &self.at);
        self.send(self.form(request, fields)).await
    }

    /// A form as the body of a request.
    pub(crate) fn form(&self, request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        fields.iter().for_each(|(name, value)| {
            body.append_pair(name, value);
        });
        request.header("content-type", "application/x-www-form-urlencoded").body(body.finish())
    }

    /// A request with the cookie.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.at));
        self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie))
    }

    /// Sends it, and keeps the cookie.
    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Shown {
        let answer = request.send().await.expect("the console answers");
        let header = |answer: &Response, name: &str| {
            answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
        };
        let cookie = header(&answer, "set-cookie");
        if let Some(cookie) = &cookie {
            let set = cookie.split(';').next().expect("a cookie has a value");
            let name = set.split_inclusive('=').next().expect("and a name");
            let kept = self.cookie.as_deref().unwrap_or_default().split("; ").filter(|kept| !kept.starts_with(name));
            let all: Vec<&str> = kept.filter(|kept| !kept.is_empty()).chain([set]).collect();
            self.cookie = Some(all.join("; "));
        }
        Shown {
            status: answer.status().as_u16(),
            to: header(&answer, "location"),
            tag: header(&answer, "etag"),
            cookie,
            text: answer.text().await.expect("it is whole"),
        }
    }
}

impl Shown {
    /// That it is of this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// That it leads on to there.
    #[track_caller]
    pub(crate) fn goes_to(self, path: &str) -> Self {
        assert_eq!((self.status, self.to.as_deref()), (303, Some(path)), "{self:#?}");
        self
    }

    /// That it has these words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.text.contains(words), "{words:?} in\n{}", self.text);
        self
    }

    /// That it has not.
    #[track_caller]
    pub(crate) fn lacks(self, words: &str) -> Self {
        assert!(!self.text.contains(words), "{words:?} in\n{}", self.text);
        self
    }
}
