//! The cases that a preview has shown, as its form brings them back: what comes later was not shown, and is not decided.
//! The form holds them itself, so that any console can take it, and again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::super::super::frame::Refusal;
use super::super::super::request::Fields;

/// The most cases of one form: 22 kB.
pub(super) const MOST: usize = 1000;
/// How many bytes an id has.
const ID_BYTES: usize = 16;

/// For the form.
pub(super) fn pack(cases: &[Uuid]) -> String {
    let bytes: Vec<u8> = cases.iter().take(MOST).flat_map(|case| *case.as_bytes()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// From the form.
///
/// # Errors
/// 422 when no preview has made it.
pub(super) fn unpack(form: &Fields) -> Result<Vec<Uuid>, Refusal> {
    let wrong = || Refusal::invalid("cases: those of a preview. Load the page again, and send its form.".to_owned());
    let bytes = URL_SAFE_NO_PAD.decode(form.raw("cases")).map_err(|_| wrong())?;
    let (ids, rest) = bytes.as_chunks::<ID_BYTES>();
    match ids.is_empty() || !rest.is_empty() || ids.len() > MOST {
        true => Err(wrong()),
        false => Ok(ids.iter().map(|id| Uuid::from_bytes(*id)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_brings_back_the_cases_that_were_shown_and_no_others() {
        let cases: Vec<Uuid> = (0..1500).map(|_| Uuid::now_v7()).collect();
        let form = |text: &str| Fields::parse(format!("cases={text}").as_bytes());
        assert_eq!(unpack(&form(&pack(&cases))).ok().as_deref(), Some(&cases[..MOST]));
        for wrong in ["", "AAAA", "%", &"A".repeat(22 * (MOST + 1) + 100)] {
            assert!(unpack(&form(wrong)).is_err(), "{wrong}");
        }
    }
}
