//! Who runs a command, as the database records it.

/// The longest actor, in characters: the width of the columns.
const ACTOR_MAX_CHARS: usize = 200;

/// Who is at the keyboard: user@host.
pub(crate) async fn actor() -> String {
    let named =
        ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let user = match named {
        Some(user) => user,
        // In containers and under cron neither variable need be set.
        None => match tokio::process::Command::new("id").arg("-un").output().await {
            Ok(told) if told.status.success() => String::from_utf8_lossy(&told.stdout).trim().to_owned(),
            _ => "unknown".to_owned(),
        },
    };
    let host = gethostname::gethostname();
    format!("{user}@{}", host.to_string_lossy()).chars().take(ACTOR_MAX_CHARS).collect()
}
