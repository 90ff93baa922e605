//! A person's password: the console knows its hash alone.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

/// The longest password, in bytes.
pub(crate) const PASSWORD_MAX_BYTES: usize = 1024;
/// The most memory that a hash may ask for, in KiB, and the most passes: each try to log in costs as much.
const MEMORY_MOST: u32 = 256 * 1024;
const PASSES_MOST: u32 = 10;

/// An Argon2id hash in the PHC form, `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, without it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let form = || "password_argon2 has to be an Argon2id hash, as `sluice console account` prints it".to_owned();
        let hash = PasswordHash::new(text).map_err(|_| form())?;
        let number = |name: &str| hash.params.get_decimal(name);
        if hash.algorithm.as_str() != "argon2id" || hash.hash.is_none() {
            return Err(form());
        }
        match (number("m"), number("t")) {
            (Some(memory), Some(passes)) if memory <= MEMORY_MOST && passes <= PASSES_MOST => Ok(Self(text.to_owned())),
            (Some(_), Some(_)) => {
                Err(format!("password_argon2 asks for more than m={MEMORY_MOST} (KiB) or t={PASSES_MOST} (passes)"))
            }
            _ => Err(form()),
        }
    }

    /// Hashes one: takes some 20 ms and 19 MiB.
    ///
    /// # Errors
    /// When the kernel gives no randomness for the salt.
    pub(crate) fn hash(password: &str) -> Result<Self, argon2::password_hash::Error> {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| Self(hash.to_string()))
    }

    /// Whether this is the password. Takes as long whether it is or not.
    pub(crate) fn is(&self, password: &str) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
    }

    /// The hash.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_a_wrong_hash_is_refused() {
        let hash = Password::hash("correct horse").expect("the kernel has chance");
        assert!(hash.is("correct horse") && !hash.is("correct horse ") && !hash.is(""));
        let read = Password::parse(hash.as_str()).expect("its own form");
        assert!(read.is("correct horse"));
        assert_ne!(hash.as_str(), Password::hash("correct horse").expect("chance").as_str(), "each has its own salt");
        let costly = hash.as_str().replace("m=19456", "m=9999999");
        let other = hash.as_str().replace("argon2id", "argon2d");
        for wrong in ["", "correct horse", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", &costly, &other] {
            let problem = Password::parse(wrong).err().expect(wrong);
            assert!(problem.contains("password_argon2") && !problem.contains("c2FsdHNhbHQ"), "{problem}");
        }
    }
}
