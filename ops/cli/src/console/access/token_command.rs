//! `sluice console token`: makes a token for a client of the API.

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use sluice_core::name;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::token::{self, TokenHash};

use super::scope::Scope;

/// Arguments of `sluice console token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Name of the client: 1 to 50 letters, digits, `_`, `-` or `.`
    #[arg(value_parser = name)]
    name: String,

    /// What the client may do; may be given more than once
    #[arg(long, value_enum, required = true, value_name = "SCOPE")]
    scope: Vec<Scope>,

    /// Print one JSON object with the token: {"name", "token", "token_sha256", "scopes"}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    token: &'a str,
    token_sha256: String,
    scopes: &'a [Scope],
}

/// Makes it. The lines for the file go to stdout, and the token to stderr, so that the one can be appended to the file
/// while a person reads the other.
///
/// # Errors
/// When the kernel gives no randomness, or stdout cannot be written.
pub(crate) fn run(args: &TokenArgs) -> anyhow::Result<Exit> {
    let token = token::new().context("cannot draw a token from /dev/urandom")?;
    let mut scopes = args.scope.clone();
    scopes.sort_unstable();
    scopes.dedup();
    let token_sha256 = TokenHash::of(&token).to_hex();
    if args.json {
        let made = Made { name: &args.name, token: &token, token_sha256, scopes: &scopes };
        output::print(|out| output::json_line(out, &made))?;
        return Ok(Exit::Done);
    }
    let listed = scopes.iter().map(|scope| format!("\"{scope}\"")).collect::<Vec<_>>().join(", ");
    output::print(|out| {
        writeln!(out, "[[client]]\nname = \"{}\"\ntoken_sha256 = \"{token_sha256}\"\nscopes = [{listed}]", args.name)
    })?;
    report!("token: {token}");
    report!("(shown this once; the lines above go into the file of SLUICE_ACCOUNTS, which holds only its hash)");
    Ok(Exit::Done)
}

fn name(text: &str) -> Result<String, String> {
    name::check(text).map(|()| text.to_owned())
}
