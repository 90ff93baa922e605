//! The certificate of a stack's servers. Both serve TLS if there is one, RabbitMQ on a port of its own.

use std::fs;
use std::path::PathBuf;

use super::error::StackError;
use super::folder::Folder;
use crate::testing::Identity;

/// Where the certificate and its key are, as PEM.
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Tls {
    fn at(folder: &Folder) -> Self {
        let file = |name: &str| folder.path().join("tls").join(name);
        Self { certificate: file("certificate.pem"), key: file("key.pem") }
    }

    /// That of this folder, if it has one.
    pub(super) fn of(folder: &Folder) -> Option<Self> {
        Some(Self::at(folder)).filter(|tls| tls.certificate.exists())
    }

    /// Puts one there.
    pub(super) fn write(folder: &Folder, identity: &Identity) -> Result<(), StackError> {
        let failed = || StackError::folder(folder.path());
        let tls = Self::at(folder);
        fs::create_dir_all(folder.path().join("tls")).map_err(failed())?;
        fs::write(tls.key, &identity.key).map_err(failed())?;
        fs::write(tls.certificate, &identity.certificate).map_err(failed())
    }
}
