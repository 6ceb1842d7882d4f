//! TLS to the database, with the verification of the server that `sslmode` demands.
//!
//! Names are matched against the certificate's alternative names (RFC 6125 §6.4.4), not against the common name. A server
//! certificate that is in the file of root certificates itself is trusted, so a self-signed one can be pinned.

use crate::postgres_url::{Authorities, Proof};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why TLS cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the root certificates in {} (`sslrootcert`) cannot be read", path.display())]
    Authorities {
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("no root certificates in the OS trust store; name a file of root certificates as `sslrootcert`")]
    NoAuthorities,
    #[error("TLS cannot be prepared")]
    Setup(#[from] rustls::Error),
}

/// Client settings that demand `proof` of a server. With direct negotiation (`sslnegotiation=direct`) servers require the
/// ALPN protocol name.
pub(crate) fn client_config(proof: &Proof, is_direct: bool) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let trusted = match proof {
        Proof::Nothing => None,
        Proof::Authority(file) | Proof::Name(Authorities::File(file)) => Some(Trusted::from_file(file)?),
        Proof::Name(Authorities::System) => Some(Trusted::of_system()?),
    };
    let verifier = Verifier { provider: Arc::clone(&provider), trusted, checks_name: matches!(proof, Proof::Name(_)) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    if is_direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}

/// Certificates that are trusted.
#[derive(Debug)]
struct Trusted {
    authorities: RootCertStore,
    pinned: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn from_file(path: &Path) -> Result<Self, TlsError> {
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| TlsError::Authorities { path: path.to_owned(), source };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.into()))?;
        let pinned = certificates.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.into()))?;
        if pinned.is_empty() {
            return Err(failed("it holds no certificate".into()));
        }
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(pinned.iter().cloned());
        Ok(Self { authorities, pinned })
    }

    fn of_system() -> Result<Self, TlsError> {
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if authorities.is_empty() {
            return Err(TlsError::NoAuthorities);
        }
        Ok(Self { authorities, pinned: Vec::new() })
    }
}

/// Verifies what `sslmode` demands: nothing, the issuer, or issuer and name.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    trusted: Option<Trusted>,
    checks_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(trusted) = &self.trusted else { return Ok(ServerCertVerified::assertion()) };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if !trusted.pinned.iter().any(|pinned| pinned == end_entity) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &trusted.authorities,
                intermediates,
                now,
                algorithms,
            )?;
        }
        if self.checks_name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
