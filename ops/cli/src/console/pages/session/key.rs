//! A session: who, since when, and when last; signed, so that nobody can make or change one.
//!
//! ```text
//!  NAME~GENERATION~BEGUN~SEEN~MAC      times in seconds since 1970; MAC: HMAC-SHA256 over the rest and the account's
//!                                      password hash, so that a new password ends all sessions, too
//! ```

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use sluice_runtime::random::random;

use crate::console::access::{Accounts, Password, Person};

/// The longest session, from the login on, in seconds.
pub(crate) const SESSION_MOST: i64 = 12 * 3600;
/// The longest time without anything done, in seconds.
const IDLE_MOST: i64 = 3600;
/// How old the last sign of life in a cookie may get before it is written again, in seconds.
const FRESH: i64 = 60;
/// The shortest key, in bytes.
const KEY_BYTES: usize = 32;
/// What a signature is for.
const PURPOSE: &[u8] = b"sluice console session 1\n";

/// What sessions are signed with.
#[derive(Clone)]
pub(crate) struct SessionKey(std::sync::Arc<SecretBox<Vec<u8>>>);

impl SessionKey {
    /// A new one: sessions end with this process.
    ///
    /// # Errors
    /// When the kernel gives no randomness.
    pub(crate) fn draw() -> io::Result<Self> {
        Ok(Self::new(random::<KEY_BYTES>()?.to_vec()))
    }

    /// Reads one from a setting: base64 of at least 32 bytes.
    ///
    /// # Errors
    /// The form.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match STANDARD.decode(text.trim()) {
            Ok(bytes) if bytes.len() >= KEY_BYTES => Ok(Self::new(bytes)),
            _ => Err("the base64 of at least 32 bytes, as `head -c 32 /dev/urandom | base64` makes them".to_owned()),
        }
    }

    fn new(bytes: Vec<u8>) -> Self {
        Self(std::sync::Arc::new(SecretBox::new(Box::new(bytes))))
    }

    /// What signs these fields for this purpose.
    pub(super) fn mac(&self, purpose: &[u8], fields: &str, password: Option<&Password>) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        mac.update(purpose);
        mac.update(fields.as_bytes());
        mac.update(b"\n");
        mac.update(password.map(Password::as_str).unwrap_or_default().as_bytes());
        Some(mac)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a key)")
    }
}

/// A session of a person who is known.
#[derive(Clone)]
pub(crate) struct Session {
    /// Who.
    pub(crate) person: Person,
    begun: i64,
    seen: i64,
}

impl Session {
    /// A new one.
    pub(crate) fn begin(person: Person, now: i64) -> Self {
        Self { person, begun: now, seen: now }
    }

    /// Reads a cookie's value; none: it is not ours, over, or of an account that has changed.
    pub(crate) fn read(text: &str, key: &SessionKey, accounts: &Accounts, now: i64) -> Option<Self> {
        let (fields, mac) = text.rsplit_once('~')?;
        let [name, generation, begun, seen] = fields.split('~').collect::<Vec<_>>().try_into().ok()?;
        let person = accounts.person(name)?;
        key.mac(PURPOSE, fields, person.password.as_ref())?.verify_slice(&URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
        let (begun, seen): (i64, i64) = (begun.parse().ok()?, seen.parse().ok()?);
        let lives = now - begun <= SESSION_MOST && now - seen <= IDLE_MOST;
        let current = generation.parse() == Ok(person.generation);
        (lives && current).then(|| Self { person: person.clone(), begun, seen })
    }

    /// The cookie's value.
    pub(crate) fn sign(&self, key: &SessionKey) -> String {
        let Self { person, begun, seen } = self;
        let fields = format!("{}~{}~{begun}~{seen}", person.name, person.generation);
        let mac = key.mac(PURPOSE, &fields, person.password.as_ref()).map(|mac| mac.finalize().into_bytes());
        format!("{fields}~{}", URL_SAFE_NO_PAD.encode(mac.unwrap_or_default()))
    }

    /// The same, seen now; none where the cookie need not be written again yet.
    pub(crate) fn seen(&self, now: i64) -> Option<Self> {
        (now - self.seen > FRESH).then(|| Self { seen: now, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn local() -> (Accounts, SessionKey) {
        (Accounts::of_one("console", "token"), SessionKey::draw().expect("the kernel has chance"))
    }

    fn begun(accounts: &Accounts, key: &SessionKey) -> String {
        Session::begin(accounts.person("local").expect("the one").clone(), NOW).sign(key)
    }

    #[test]
    fn a_session_is_read_back_until_it_is_idle_or_over() {
        let (accounts, key) = local();
        let cookie = begun(&accounts, &key);
        let at = |cookie: &str, now| Session::read(cookie, &key, &accounts, now);
        assert_eq!(at(&cookie, NOW).expect("it is new").person.name, "local");
        assert!(at(&cookie, NOW + IDLE_MOST).is_some() && at(&cookie, NOW + IDLE_MOST + 1).is_none());
        let mut session = at(&cookie, NOW).expect("it is new");
        assert!(session.seen(NOW + FRESH).is_none(), "not each request writes a cookie");
        for hour in 1..=12 {
            session = session.seen(NOW + hour * 3600).expect("an hour is long");
            assert!(at(&session.sign(&key), NOW + hour * 3600).is_some(), "{hour}");
        }
        assert!(at(&session.sign(&key), NOW + SESSION_MOST + 1).is_none(), "twelve hours, however busy");
    }

    #[test]
    fn nobody_can_make_or_change_one() {
        let (accounts, key) = local();
        let cookie = begun(&accounts, &key);
        let read = |cookie: &str, key: &SessionKey| Session::read(cookie, key, &accounts, NOW).is_some();
        assert!(read(&cookie, &key));
        assert!(!read(&cookie, &SessionKey::draw().expect("chance")), "of another key");
        assert!(!read(&cookie.replace("local~0", "local~1"), &key));
        assert!(!read(&cookie.replacen("17950", "17951", 1), &key));
        for wrong in ["", "~", "local", "local~0~1~1", "~~~~", "nobody~0~1~1~AAAA"] {
            assert!(!read(wrong, &key), "{wrong}");
        }
        assert!(!format!("{key:?}").contains(char::is_numeric));
    }

    #[test]
    fn a_new_password_a_new_generation_or_no_account_end_a_session() {
        let (_, key) = local();
        let file = |text: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("accounts.toml");
            std::fs::write(&path, text).expect("it can be written");
            Accounts::read(&path).expect("it is in order")
        };
        let entry = |name: &str, password: &str, generation: u32| {
            let hash = Password::hash(password).expect("chance");
            let hash = hash.as_str();
            format!(
                "[[account]]\nname = \"{name}\"\nrole = \"viewer\"\npassword_argon2 = \"{hash}\"\n\
                 generation = {generation}\n"
            )
        };
        let text = entry("ann", "one", 1);
        let cookie = Session::begin(file(&text).person("ann").expect("her").clone(), NOW).sign(&key);
        let lives = |text: &str| Session::read(&cookie, &key, &file(text), NOW).is_some();
        assert!(lives(&text), "the file is read again");
        assert!(!lives(&text.replace("generation = 1", "generation = 2")), "logged out everywhere");
        assert!(!lives(&entry("ann", "one", 1)), "another salt is another password");
        assert!(!lives(&entry("bob", "one", 1)), "she is not in it any more");
    }

    #[test]
    fn a_key_of_the_settings_is_long_enough() {
        assert!(SessionKey::parse(&STANDARD.encode([7; 32])).is_ok());
        for short in ["", "abc", &STANDARD.encode([7; 31])] {
            assert!(SessionKey::parse(short).is_err(), "{short}");
        }
    }
}
