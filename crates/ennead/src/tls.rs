//! Certificates from files. The one place that names the provider of cryptography.

use std::path::Path;
use std::sync::Arc;

use ennead_engine::settings::{Settings, TLS_CERTIFICATE_FILE, TLS_CLIENT_CA_FILE, TLS_KEY_FILE};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// What the listeners show to clients, read once at the start.
pub(crate) struct Identity(ServerConfig);

impl Identity {
    /// None when the settings name no certificate.
    ///
    /// # Errors
    /// One line: a setting without its counterpart, or a file that holds something else.
    pub(crate) fn load(settings: &Settings) -> Result<Option<Identity>, String> {
        let [certificate, key, authority] =
            [TLS_CERTIFICATE_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE].map(|name| settings.read(name));
        match (certificate.is_empty(), key.is_empty()) {
            (true, true) if authority.is_empty() => return Ok(None),
            (true, true) => return Err("tls.client_ca_file is set without tls.certificate_file; set both".to_owned()),
            (false, true) => return Err("tls.certificate_file is set without tls.key_file; set both".to_owned()),
            (true, false) => return Err("tls.key_file is set without tls.certificate_file; set both".to_owned()),
            (false, false) => {}
        }
        let chain = certificates("tls.certificate_file", &certificate)?;
        let key = PrivateKeyDer::from_pem_file(key.as_str())
            .map_err(|error| format!("tls.key_file {key}: no private key in PEM form there: {error}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?;
        let builder = if authority.is_empty() {
            builder.with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            for authority in certificates("tls.client_ca_file", &authority)? {
                roots.add(authority).map_err(|error| format!("tls.client_ca_file: {error}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| format!("tls.client_ca_file: {error}"))?;
            builder.with_client_cert_verifier(verifier)
        };
        let config = builder
            .with_single_cert(chain, key)
            .map_err(|error| format!("tls.certificate_file and tls.key_file do not belong together: {error}"))?;
        Ok(Some(Identity(config)))
    }

    /// For a listener that speaks these protocols inside TLS, named as in ALPN.
    pub(crate) fn config(&self, protocols: &[&str]) -> Arc<ServerConfig> {
        let mut config = self.0.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

fn certificates(setting: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(Path::new(path))?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("{setting} {path}: no certificate in PEM form there")),
        Err(error) => Err(format!("{setting} {path}: {error}")),
    }
}
