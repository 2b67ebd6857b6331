//! Certificates from files. The one place that names the provider of cryptography.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ennead_engine::settings::{Settings, TLS_CERTIFICATE_FILE, TLS_CLIENT_CA_FILE, TLS_KEY_FILE};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::arguments::TlsArguments;

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

/// Where systems keep the authorities that they trust; the first that is there is taken.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whom this program believes as a client of others, and what it shows them.
pub(crate) struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// For connections of which some are encrypted, or none; `scheme` is what addresses of those begin with.
    ///
    /// # Errors
    /// One line: a flag that is of no use, or a file that holds something else.
    pub(crate) fn load(arguments: &TlsArguments, encrypted: bool, scheme: &str) -> Result<Trust, String> {
        let TlsArguments { cacert, cert, key } = arguments;
        if !encrypted {
            let given = [("--cacert", cacert), ("--cert", cert), ("--key", key)];
            return match given.into_iter().find(|(_, file)| file.is_some()) {
                Some((flag, _)) => Err(format!("{flag} is for addresses that begin with {scheme}, and there is none")),
                None => Ok(Trust(None)),
            };
        }
        let mut roots = RootCertStore::empty();
        let (flag, authorities) = match cacert {
            Some(file) => ("--cacert", file.clone()),
            None => ("the system's authorities", system_authorities()?),
        };
        let named = cacert.is_some();
        for authority in certificates(flag, &authorities.to_string_lossy())? {
            // Of the system's some may be of a kind that is not known here.
            roots.add(authority).or_else(|error| if named { Err(format!("--cacert: {error}")) } else { Ok(()) })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?
            .with_root_certificates(roots);
        let config = match (cert, key) {
            (Some(cert), Some(key)) => {
                let chain = certificates("--cert", &cert.to_string_lossy())?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("--key {}: no private key in PEM form there: {error}", key.display()))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| format!("--cert and --key do not belong together: {error}"))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Trust(Some(Arc::new(config))))
    }

    /// None where nothing is encrypted.
    pub(crate) fn config(&self) -> Option<Arc<ClientConfig>> {
        self.0.clone()
    }
}

fn system_authorities() -> Result<PathBuf, String> {
    AUTHORITIES.iter().map(PathBuf::from).find(|path| path.is_file()).ok_or_else(|| {
        "no authorities of certificates are installed here; name those of the server by --cacert FILE".to_owned()
    })
}

fn certificates(setting: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(Path::new(path))?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("{setting} {path}: no certificate in PEM form there")),
        Err(error) => Err(format!("{setting} {path}: {error}")),
    }
}
