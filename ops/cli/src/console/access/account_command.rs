//! `sluice console account`: makes the entry of a person who uses the pages.

use std::io::{self, BufRead as _};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use sluice_core::name;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::random::random;

use super::password::{PASSWORD_MAX_BYTES, Password};
use super::role::Role;

/// The shortest password that a person may choose, in characters.
const SHORTEST: usize = 10;
/// The signs of a password that is drawn: none of them is taken for another.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many it has: 100 bits of chance.
const DRAWN: usize = 20;

/// Arguments of `sluice console account`.
#[derive(Debug, Args)]
pub struct AccountArgs {
    /// Name to log in with: 1 to 50 letters, digits, `_`, `-` or `.`
    #[arg(value_parser = name)]
    name: String,

    /// What the person may do
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Role,

    /// Read the password from the first line of stdin, instead of drawing one
    #[arg(long)]
    password_stdin: bool,

    /// Print one JSON object with the password: {"name", "role", "password", "password_argon2"}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    role: Role,
    password: &'a str,
    password_argon2: &'a str,
}

/// Makes it. The lines for the file go to stdout; a password that was drawn goes to stderr, so that the one can be
/// appended to the file while a person reads the other.
///
/// # Errors
/// When the password is too short or too long, the kernel gives no randomness, or stdout cannot be written.
pub(crate) fn run(args: &AccountArgs) -> anyhow::Result<Exit> {
    let password = if args.password_stdin { given()? } else { drawn()? };
    let hash = Password::hash(&password).context("cannot hash the password")?;
    let AccountArgs { name, role, .. } = args;
    if args.json {
        let made = Made { name, role: *role, password: &password, password_argon2: hash.as_str() };
        output::print(|out| output::json_line(out, &made))?;
        return Ok(Exit::Done);
    }
    output::print(|out| {
        let hash = hash.as_str();
        writeln!(out, "[[account]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_argon2 = \"{hash}\"")
    })?;
    if !args.password_stdin {
        report!("password: {password}");
        report!("(shown this once; the lines above go into the file of SLUICE_ACCOUNTS, which holds only its hash)");
    }
    Ok(Exit::Done)
}

fn given() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the password from stdin")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.chars().count() < SHORTEST {
        bail!("the password on stdin has fewer than {SHORTEST} characters; choose a longer one, or let one be drawn");
    }
    if password.len() > PASSWORD_MAX_BYTES {
        bail!("the password on stdin has more than {PASSWORD_MAX_BYTES} bytes");
    }
    Ok(password)
}

fn drawn() -> anyhow::Result<String> {
    let random = random::<DRAWN>().context("cannot draw a password from /dev/urandom")?;
    Ok(random.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect())
}

fn name(text: &str) -> Result<String, String> {
    name::check(text).map(|()| text.to_owned())
}
