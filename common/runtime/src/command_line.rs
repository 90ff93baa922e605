//! How a program reads its command line.

use std::io::Write as _;

use clap::error::{ContextKind, ContextValue};
use clap::{Command, Parser};

use sluice_core::visible;

/// Reads it, or ends the program with what is wrong and how the command is used; what was typed is repeated in that, so
/// it is made visible.
#[must_use]
pub fn parse<P: Parser>() -> P {
    P::try_parse().unwrap_or_else(|mut error| {
        // The library counts what the environment gives as given on the command line, and shows each such flag in the
        // usage as if it were needed.
        if error.get(ContextKind::Usage).is_some() {
            let usage = usage(P::command(), std::env::args().skip(1));
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        }
        if error.use_stderr() {
            // Nobody can be told that there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "{}", visible::block(error.render().to_string().trim_end()));
        } else {
            let _ = error.print();
        }
        std::process::exit(error.exit_code())
    })
}

/// How the command is used that these arguments name.
fn usage(mut command: Command, args: impl Iterator<Item = String>) -> clap::builder::StyledStr {
    command.build();
    for arg in args {
        if let Some(deeper) = command.find_subcommand(&arg).cloned() {
            command = deeper;
        }
    }
    command.render_usage()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    #[test]
    fn the_usage_is_that_of_the_command_that_was_meant_with_what_is_needed_and_no_more() {
        let flag = |name: &'static str| Arg::new(name).long(name);
        let show = Command::new("show").arg(Arg::new("ID").required(true)).arg(flag("url").env("PATH"));
        let all = Command::new("sluice").arg(flag("log").global(true)).subcommand(Command::new("dlq").subcommand(show));
        let args = ["--log", "text", "dlq", "show", "--bogus"].map(str::to_owned);
        let usage = usage(all, args.into_iter()).to_string();
        assert_eq!(usage, "Usage: sluice dlq show [OPTIONS] <ID>");
    }
}
