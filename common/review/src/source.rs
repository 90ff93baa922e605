//! The text of a rules file: read within bounds, and the id that it gives its rule set.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use sluice_runtime::regular;

use super::builtin::BUILTIN;
use super::error::{RulesError, Source};
use super::file::{Base, RulesFile};
use super::learned::suspected;
use super::rules::Rules;
use super::{check, rules};

/// The text of a file that people call `origin`.
pub(super) fn read(path: &Path, origin: &str) -> Result<String, RulesError> {
    let unreadable = |source| RulesError::Unreadable { path: origin.to_owned(), source };
    let bytes = regular::read(path, rules::FILE_MAX_BYTES).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let found = format!("the byte 0x{:02X}", error.as_bytes().get(at).copied().unwrap_or_default());
        Source { origin, text: &text }.invalid(&(at..at), found, "UTF-8 text")
    })
}

/// The rule set's name, `@`, and the beginning of the hash of all texts that it was read from.
pub(super) fn id(file: &RulesFile, source: Source<'_>, rules: &Rules) -> Result<String, RulesError> {
    let name = match &file.name {
        Some(name) => check::checked_id(name, "a name", source)?,
        None => check::name_from(source.origin),
    };
    let mut hash = Sha256::new();
    if let Some(Base::Builtin) = file.extend {
        hash.update(BUILTIN.text);
        // So that no two pairs of texts run together to the same bytes.
        hash.update([0]);
    }
    hash.update(source.text);
    let suspected = rules.suspected.then_some(suspected::TEXT);
    for list in rules.files.iter().map(String::as_str).chain(suspected) {
        hash.update([0]);
        hash.update(list);
    }
    let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{name}@{digest}"))
}
