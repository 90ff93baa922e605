//! How many connections the machine allows: the limit on open files, raised as far as possible.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files that are kept for everything but the connections of the port: the broker, logs, the word lists.
const OTHERS: u64 = 64;

/// Raises the soft limit on open files to the hard one, and gives how many of `wanted` connections there is room for.
/// Says so in the log when that is less; `setting` names where the number was chosen.
#[must_use]
pub fn room_for(wanted: usize, setting: &str) -> usize {
    let files = match raise() {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit on open files");
            return wanted;
        }
    };
    let room = usize::try_from(files.saturating_sub(OTHERS).max(files / 2)).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            connections = room,
            wanted,
            open_files = files,
            "fewer connections than {setting} allows: the hard limit on open files (`ulimit -Hn`) is too low"
        );
    }
    room.min(wanted)
}

/// Gives the limit that is in force afterwards.
fn raise() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        tracing::debug!(from = soft, to = hard, "raised the limit on open files");
    }
    Ok(hard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_is_wanted_up_to_the_limit_on_open_files() {
        assert_eq!(room_for(10, "--max-connections"), 10);
        let all = room_for(usize::MAX, "--max-connections");
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is a limit");
        assert_eq!(soft, hard);
        assert!(all < usize::try_from(hard).expect("a number of files"));
    }
}
