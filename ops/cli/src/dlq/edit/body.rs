//! Editing a dead letter's body: the result of a patch, and whether a worker would accept it. Pure functions.

use serde_json::Value;
use sluice_core::post::{AUTHOR_MAX_CHARS, CONTENT_MAX_CHARS, Malformed, Post, PostId, TITLE_MAX_CHARS};
use time::OffsetDateTime;

/// The id of the post that a body holds, as a worker reads it.
pub(crate) fn id_of(body: &[u8], message_id: Option<&str>) -> Option<PostId> {
    let json = serde_json::from_slice::<Value>(body).ok();
    let own = json.as_ref().and_then(|json| json.get("id")?.as_str()?.parse().ok());
    own.or_else(|| message_id?.parse().ok())
}

/// Why a worker or the table would refuse a body: each error names its field.
pub(crate) fn faults(body: &[u8], message_id: Option<&str>) -> Vec<String> {
    let fields = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return vec!["the body is not a JSON object".to_owned()],
        Err(error) => return vec![format!("the body is not JSON: {error}")],
    };
    let mut faults = Vec::new();
    for (name, needed, max) in [
        ("title", true, TITLE_MAX_CHARS),
        ("content", true, CONTENT_MAX_CHARS),
        ("author", false, AUTHOR_MAX_CHARS),
        ("id", false, usize::MAX),
        ("submitted_at", false, usize::MAX),
    ] {
        match fields.get(name) {
            None if needed => faults.push(format!("`{name}` is missing")),
            None => {}
            Some(Value::Null) if !needed => {}
            Some(Value::String(text)) if text.chars().count() <= max => {}
            Some(Value::String(text)) => {
                faults.push(format!("`{name}` has {} characters, at most {max} are allowed", text.chars().count()));
            }
            Some(_) => faults.push(format!("`{name}` must be a string")),
        }
    }
    if faults.is_empty()
        && let Err(malformed) = Post::from_message(body, message_id, OffsetDateTime::UNIX_EPOCH)
    {
        // The others are strings.
        let of_the_time = matches!(malformed, Malformed::NotAPost(_) | Malformed::BadTime(_));
        let field = if of_the_time { "`submitted_at`: " } else { "" };
        faults.push(format!("{field}{malformed}"));
    }
    faults
}

/// The body with a JSON merge patch applied.
pub(crate) fn patched(before: &[u8], patch: &Value) -> Result<Vec<u8>, String> {
    let mut json: Value = serde_json::from_slice(before)
        .map_err(|error| format!("the body is not JSON ({error}), so it cannot be patched; edit it without --patch"))?;
    json_patch::merge(&mut json, patch);
    serde_json::to_vec(&json).map_err(|error| error.to_string())
}

/// A body as people edit it, JSON over several lines, and whether it is JSON. `None`: it is no text.
pub(crate) fn readable(body: &[u8]) -> Option<(String, bool)> {
    let text = std::str::from_utf8(body).ok()?;
    let json = serde_json::from_slice::<Value>(body).ok();
    let pretty = json.and_then(|json| serde_json::to_string_pretty(&json).ok()).map(|json| json + "\n");
    let is_json = pretty.is_some();
    Some((pretty.unwrap_or_else(|| text.to_owned()), is_json))
}

/// JSON without the spaces that made it readable; any other text without the line break that editors add.
pub(crate) fn compact(wrote: &[u8], before: &[u8]) -> Vec<u8> {
    if let Ok(json) = serde_json::from_slice::<Value>(wrote)
        && let Ok(compact) = serde_json::to_vec(&json)
    {
        return compact;
    }
    let added = !before.ends_with(b"\n");
    let trimmed = wrote.strip_suffix(b"\n").filter(|_| added);
    trimmed.unwrap_or(wrote).to_vec()
}

/// Whether two bodies mean the same.
pub(crate) fn same(before: &[u8], after: &[u8]) -> bool {
    let json = |body| serde_json::from_slice::<Value>(body).ok();
    before == after || matches!((json(before), json(after)), (Some(before), Some(after)) if before == after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_fault_names_its_field() {
        let long = "é".repeat(TITLE_MAX_CHARS + 1);
        for (body, told) in [
            (json!({"content": "c"}), "`title` is missing"),
            (json!({"title": 5, "content": "c"}), "`title` must be a string"),
            (json!({"title": long, "content": "c"}), "`title` has 256 characters, at most 255"),
            (json!({"title": "t", "content": null}), "`content` must be a string"),
            (json!({"title": "t", "content": "c", "author": []}), "`author` must"),
            (json!({"title": "t", "content": "c", "id": "seven"}), "id is not a UUID"),
            (json!({"title": "t", "content": "c", "submitted_at": "now"}), "`submitted_at`"),
            (json!({"title": "\u{200b}", "content": "c"}), "title is empty"),
            (json!([1]), "not a JSON object"),
        ] {
            let faults = faults(body.to_string().as_bytes(), Some("0193a5b2-7c55-7000-8000-00000000e1b4"));
            assert!(faults.len() == 1 && faults[0].contains(told), "{told} in {faults:?}");
        }
        assert_eq!(faults(b"{}", None).len(), 2, "all of them at once");
        assert!(faults(b"{", None)[0].contains("not JSON"));
        assert!(faults(br#"{"title":"t","content":"c"}"#, None)[0].contains("no id"));
    }

    #[test]
    fn what_a_worker_takes_has_no_fault() {
        let id = PostId::new();
        let body = json!({"id": id, "title": "t", "content": "c", "author": null, "mood": 1}).to_string();
        assert_eq!(faults(body.as_bytes(), None), Vec::<String>::new());
        assert_eq!(id_of(body.as_bytes(), Some("x")), Some(id));
        assert_eq!(id_of(b"no json", Some(&id.to_string())), Some(id));
        assert_eq!(id_of(b"no json", None), None);
    }
}
