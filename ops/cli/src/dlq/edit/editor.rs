//! Opens a text in the user's editor.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use anyhow::Context as _;

/// The editor if neither variable is set.
const USUAL: &str = "vi";

/// The value of `VISUAL` or `EDITOR`; it may have arguments.
pub(in crate::dlq) fn chosen() -> String {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    named.into_iter().find(|editor| !editor.trim().is_empty()).unwrap_or_else(|| USUAL.to_owned())
}

/// Opens a text in the editor and returns the result. The file is in a folder that nobody else can read, and that is
/// removed together with any files that the editor leaves there.
///
/// # Errors
/// When the editor cannot be started or fails, or its file cannot be read.
pub(in crate::dlq) async fn edit(editor: &str, text: &str, suffix: &str) -> anyhow::Result<Vec<u8>> {
    let aside = || {
        let folder = std::env::temp_dir();
        format!("the text is written to a file in {}; set TMPDIR to use another folder", folder.display())
    };
    let folder = tempfile::Builder::new().prefix("sluice-edit-").permissions(Permissions::from_mode(0o700)).tempdir();
    let folder = folder.with_context(aside)?;
    let mut file = tempfile::Builder::new()
        .prefix("dead-letter-")
        .suffix(suffix)
        .tempfile_in(folder.path())
        .with_context(aside)?;
    file.write_all(text.as_bytes()).with_context(aside)?;
    file.flush().with_context(aside)?;
    // Stdout may be a pipe; an editor needs the terminal.
    let terminal = std::io::stderr().as_fd().try_clone_to_owned().context(
        "the terminal cannot be passed to the \
                                                                           editor",
    )?;
    let mut command = tokio::process::Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sluice").arg(file.path()).stdout(Stdio::from(terminal));
    let ended = command.status().await.with_context(|| format!("the editor `{editor}` cannot be started"))?;
    anyhow::ensure!(ended.success(), "the editor `{editor}` ended with {ended}; nothing was done");
    // Read by name, because many editors write a new file and rename it.
    std::fs::read(file.path()).with_context(|| format!("the file that the editor `{editor}` saved cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_editor_wrote_is_read_even_if_it_is_a_new_file_and_nothing_stays_behind() {
        // Writes what it was shown, the rights on the file and on its folder, and its path; leaves a file beside it.
        let editor = r#"f() {
            { cat "$1"; stat -c %a "$1" "$(dirname "$1")"; echo "$1"; } > "$1~"
            cp "$1~" "$1.new"; mv "$1.new" "$1"
        }; f"#;
        let wrote = edit(editor, "before\n", ".json").await.expect("it ends well");
        let text = String::from_utf8(wrote).expect("text");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[..3], ["before", "600", "700"], "{text}");
        let folder = std::path::Path::new(words[3]).parent().expect("a folder");
        assert!(words[3].ends_with(".json") && !folder.exists(), "{text}");
    }

    #[tokio::test]
    async fn an_editor_that_fails_has_changed_nothing() {
        let error = edit("false #", "x", ".txt").await.expect_err("it fails");
        assert!(error.to_string().contains("nothing was done"), "{error}");
    }
}
