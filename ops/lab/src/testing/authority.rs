//! A certificate authority of a test's own, and servers' certificates by it.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use uuid::Uuid;

/// An authority that nobody trusts but who is told to.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A server's certificate and its key, both as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl std::fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Default for Authority {
    fn default() -> Self {
        let mut params = CertificateParams::default();
        // Of two authorities with one name, the other one's signature would be checked.
        params.distinguished_name.push(DnType::CommonName, Uuid::now_v7().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("ring makes keys");
        let pem = params.self_signed(&key).expect("the parameters are good").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }
}

impl Authority {
    /// Its own certificate, as PEM: what `SSL_CERT_FILE` takes.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Identity {
        self.sign(Self::params(name))
    }

    /// The same, which is over since a long time.
    #[must_use]
    pub fn expired(&self, name: &str) -> Identity {
        let mut params = Self::params(name);
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        self.sign(params)
    }

    fn params(name: &str) -> CertificateParams {
        CertificateParams::new([name.to_owned()]).expect("a name that certificates can have")
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("ring makes keys");
        let certificate = params.signed_by(&key, &self.issuer).expect("the parameters are good").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}
