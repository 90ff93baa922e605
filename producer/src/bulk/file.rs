//! Where `publish` reads from: a file or stdin, decoded if it is gzip.

use std::io::{self, Cursor};
use std::path::Path;

use anyhow::Context as _;
use async_compression::tokio::bufread::GzipDecoder;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, BufReader};

/// The first two bytes of every gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How much is read at once, in bytes.
pub const READ_AT_ONCE: usize = 256 * 1024;

/// What is read from.
pub struct Input {
    /// Its bytes, decoded.
    pub bytes: Box<dyn AsyncRead + Send + Unpin>,
    /// How many there are, if that is known.
    pub length: Option<u64>,
    /// Its name in messages.
    pub source: String,
}

impl Input {
    /// Opens a file, or stdin for `-`.
    ///
    /// # Errors
    /// When it cannot be read; names it.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        if file == Path::new("-") {
            return Self::begin(tokio::io::stdin(), None, "stdin".to_owned()).await;
        }
        let source = file.display().to_string();
        let input = File::open(file).await.with_context(|| format!("cannot read {source}"))?;
        let about = input.metadata().await.with_context(|| format!("cannot read {source}"))?;
        anyhow::ensure!(!about.is_dir(), "cannot read {source}: it is a folder");
        Self::begin(input, about.is_file().then_some(about.len()), source).await
    }

    /// Tells by its first bytes whether it is gzip, whatever it is called.
    async fn begin(
        mut input: impl AsyncRead + Send + Unpin + 'static,
        length: Option<u64>,
        source: String,
    ) -> anyhow::Result<Self> {
        let beginning = beginning(&mut input).await.with_context(|| format!("cannot read {source}"))?;
        let gzip = beginning == GZIP;
        let whole = Cursor::new(beginning).chain(input);
        if !gzip {
            return Ok(Self { bytes: Box::new(whole), length, source });
        }
        let mut decoder = GzipDecoder::new(BufReader::with_capacity(READ_AT_ONCE, whole));
        // `cat a.gz b.gz` is gzip, too.
        decoder.multiple_members(true);
        // The decoded size is unknown.
        Ok(Self { bytes: Box::new(decoder), length: None, source })
    }
}

/// Up to two bytes.
async fn beginning(input: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::with_capacity(GZIP.len());
    input.take(GZIP.len() as u64).read_to_end(&mut beginning).await?;
    Ok(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_compression::tokio::write::GzipEncoder;
    use tokio::io::AsyncWriteExt as _;

    async fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzipEncoder::new(Vec::new());
        encoder.write_all(text).await.expect("into memory");
        encoder.shutdown().await.expect("into memory");
        encoder.into_inner()
    }

    async fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut input = Input::begin(Cursor::new(bytes), Some(7), "x".to_owned()).await.expect("it can be read");
        let mut read = Vec::new();
        input.bytes.read_to_end(&mut read).await.map(|_| read)
    }

    #[tokio::test]
    async fn gzip_is_known_by_its_first_bytes_and_all_its_members_are_read() {
        for plain in [&b""[..], b"{", b"{}", b"{}\n{}\n"] {
            assert_eq!(read(plain.to_vec()).await.expect("it is whole"), plain);
            let twice = [packed(plain).await, packed(plain).await].concat();
            assert_eq!(read(twice).await.expect("it is whole"), [plain, plain].concat());
        }
    }

    #[tokio::test]
    async fn gzip_that_breaks_off_is_an_error_and_no_shorter_file() {
        let mut packed = packed(&[b'x'; 1000]).await;
        packed.truncate(packed.len() - 5);
        assert!(read(packed).await.is_err());
    }
}
