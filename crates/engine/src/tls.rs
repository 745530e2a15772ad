//! TLS for SIP: whom we trust, who we are.
//!
//! Made once, of the texts of PEM files; the connections that use it are `driver/streams`.

use std::fmt;
use std::sync::Arc;

use base::trunk::LinkFault;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, ConfigSide, Error, RootCertStore,
    ServerConfig, WantsVerifier,
};

/// What connections to a trunk are protected with.
#[derive(Clone)]
pub struct TlsClient(pub(crate) Arc<ClientConfig>);

/// What connections to us are protected with.
#[derive(Clone)]
pub struct TlsServer(pub(crate) Arc<ServerConfig>);

/// Why certificates or a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// Not PEM at all, or cut off.
    #[error("this is no PEM file: it begins with -----BEGIN CERTIFICATE----- or the like")]
    Pem(#[source] PemError),
    /// No certificate in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// The library does not take it, such as a key that belongs to another certificate.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] Error),
}

/// A certificate with those that signed it, and its key: the texts of two PEM files, which may be one.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The certificate first, then those that lead to the authority.
    pub certificates: &'a [u8],
    /// The private key, without a password.
    pub key: &'a [u8],
}

impl TlsClient {
    /// Trusts the authorities of a PEM text, or those that browsers trust; shows its own certificate where it is asked
    /// for one and has one.
    ///
    /// # Errors
    /// Why a text cannot be used.
    pub fn new(authorities: Option<&[u8]>, own: Option<Identity<'_>>) -> Result<Self, TlsFault> {
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(pem) => {
                certificates(pem)?.into_iter().try_for_each(|certificate| roots.add(certificate))?;
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let trusting = protocol(ClientConfig::builder_with_provider)?.with_root_certificates(roots);
        let config = match own {
            Some(own) => trusting.with_client_auth_cert(certificates(own.certificates)?, own.key()?)?,
            None => trusting.with_no_client_auth(),
        };
        Ok(Self(Arc::new(config)))
    }
}

impl TlsServer {
    /// Shows this certificate. Who may connect at all is decided by addresses, so nobody is asked for one.
    ///
    /// # Errors
    /// Why a text cannot be used.
    pub fn new(own: Identity<'_>) -> Result<Self, TlsFault> {
        let config = protocol(ServerConfig::builder_with_provider)?
            .with_no_client_auth()
            .with_single_cert(certificates(own.certificates)?, own.key()?)?;
        Ok(Self(Arc::new(config)))
    }
}

impl Identity<'_> {
    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        PrivateKeyDer::from_pem_slice(self.key).map_err(TlsFault::Pem)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsFault::Pem)?;
    if found.is_empty() { Err(TlsFault::NoCertificate) } else { Ok(found) }
}

/// TLS 1.2 and 1.3 by the one provider that we are built with.
fn protocol<Side: ConfigSide>(
    builder: impl FnOnce(Arc<rustls::crypto::CryptoProvider>) -> ConfigBuilder<Side, rustls::WantsVersions>,
) -> Result<ConfigBuilder<Side, WantsVerifier>, TlsFault> {
    Ok(builder(Arc::new(rustls::crypto::ring::default_provider())).with_safe_default_protocol_versions()?)
}

/// What a fault of the library means to an operator.
pub(crate) fn meaning(fault: &Error) -> LinkFault {
    match fault {
        Error::InvalidCertificate(fault) => match fault {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                LinkFault::NameMismatch
            }
            // An authority of the same name has another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => LinkFault::UnknownAuthority,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => LinkFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                LinkFault::NotYetValid
            }
            _ => LinkFault::BadCertificate,
        },
        Error::AlertReceived(
            AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired,
        ) => LinkFault::OursRefused,
        _ => LinkFault::NotTls,
    }
}

// Keys are in there.
impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClient")
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsServer")
    }
}
