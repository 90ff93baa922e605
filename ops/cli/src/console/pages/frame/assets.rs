//! The style sheet, the script and the icon. Their names hold a hash of what is in them, so browsers may keep them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

/// One file.
struct Asset {
    name: String,
    kind: &'static str,
    bytes: &'static [u8],
}

/// All of them: the style sheet, the script, the icon.
static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("css", "text/css; charset=utf-8", include_bytes!("../../../../assets/console.css")),
        Asset::new("js", "text/javascript; charset=utf-8", include_bytes!("../../../../assets/console.js")),
        Asset::new("svg", "image/svg+xml", include_bytes!("../../../../assets/icon.svg")),
    ]
});

impl Asset {
    fn new(extension: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash: String = Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("console-{hash}.{extension}"), kind, bytes }
    }
}

/// The address of the file that ends so.
pub(super) fn address(extension: &str) -> String {
    let name = ASSETS.iter().find(|asset| asset.name.ends_with(extension)).map(|asset| asset.name.as_str());
    format!("/assets/{}", name.unwrap_or_default())
}

/// Serves them.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = asset.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
