//! How a program reads its command line.

use clap::error::{ContextKind, ContextValue};
use clap::{Command, Parser};

/// Reads it, or ends the program with what is wrong and how the command is used.
#[must_use]
pub fn parse<P: Parser>() -> P {
    P::try_parse().unwrap_or_else(|mut error| {
        // The library counts what the environment gives as given on the command line, and shows each such flag in the
        // usage as if it were needed.
        if error.get(ContextKind::Usage).is_some() {
            let usage = usage(P::command(), std::env::args().skip(1));
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        }
        error.exit()
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
