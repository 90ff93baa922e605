//! `sluice-producer token`: makes a token for a sender.

use anyhow::Context as _;
use serde::Serialize;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::token::{self, TokenHash};

use super::SETTING;
use super::rate::Rate;
use crate::cli::Token;
use sluice_core::config::ConfigError;

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    token: &'a str,
    token_sha256: String,
    rate: f64,
    burst: u32,
}

/// Makes it. The lines for the file go to stdout, and the token to stderr, so that the one can be appended to the file
/// while a person reads the other.
///
/// # Errors
/// When the rate or the burst is out of bounds, the kernel gives no randomness, or stdout cannot be written.
pub fn run(args: &Token) -> anyhow::Result<Exit> {
    let Token { name, rate, burst, json } = args;
    Rate::new(*rate, Some(*burst)).map_err(|problem| ConfigError::new("--rate, --burst", problem))?;
    let token = token::new().context("cannot draw a token from /dev/urandom")?;
    let token_sha256 = TokenHash::of(&token).to_hex();
    if *json {
        let made = Made { name: name.as_str(), token: &token, token_sha256, rate: *rate, burst: *burst };
        output::print(|out| output::json_line(out, &made))?;
        return Ok(Exit::Done);
    }
    output::print(|out| {
        writeln!(
            out,
            "[[sender]]\nname = \"{name}\"\ntoken_sha256 = \"{token_sha256}\"\nrate = {rate}\nburst = {burst}"
        )
    })?;
    report!("token: {token}");
    report!("(shown this once; the lines above go into the file of {SETTING}, which holds only its hash)");
    Ok(Exit::Done)
}
