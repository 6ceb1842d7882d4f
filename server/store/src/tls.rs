//! TLS to the database: what a server has to prove, carried out by rustls.
//!
//! Names are looked for where RFC 6125 §6.4.4 wants them, in the certificate's alternative names; the older habit of
//! writing the host into the common name is not supported. A certificate that stands in the file of authorities
//! itself is trusted as it stands, which is how a server with a self-signed certificate is pinned.

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
    /// The file of authorities is not to be read, or holds something else.
    #[error("the authorities in {} (`sslrootcert`) cannot be read", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system trusts nobody.
    #[error("the operating system names no certificate authorities; give a file as `sslrootcert`")]
    NoAuthorities,
    /// rustls refuses its own settings.
    #[error("TLS cannot be prepared")]
    Setup(#[from] rustls::Error),
}

/// What a client needs to ask `proof` of a server. `speaks_first` is for servers that expect TLS at once
/// (`sslnegotiation=direct`), which insist on the protocol's name.
pub(crate) fn client_config(proof: &Proof, speaks_first: bool) -> Result<ClientConfig, TlsError> {
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
    if speaks_first {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}

/// Whom to believe.
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

/// Asks of a server what was set, no more and no less.
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
