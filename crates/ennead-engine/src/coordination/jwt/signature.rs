//! The methods of signing tokens, and their keys.

use ennead_coord::{Error, Result};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use ring::{error::KeyRejected, hmac};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};

/// How a token is signed.
#[derive(Clone, Copy)]
pub(super) struct Method {
    pub(super) name: &'static str,
    family: Family,
}

#[derive(Clone, Copy)]
enum Family {
    Hmac(hmac::Algorithm),
    Rsa(&'static dyn RsaEncoding, &'static dyn VerificationAlgorithm),
    Ec(&'static EcdsaSigningAlgorithm, &'static dyn VerificationAlgorithm),
    Ed(&'static dyn VerificationAlgorithm),
}

/// Those of etcd, but for ES512.
static METHODS: [Method; 12] = [
    Method { name: "RS256", family: Family::Rsa(&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256) },
    Method { name: "RS384", family: Family::Rsa(&RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384) },
    Method { name: "RS512", family: Family::Rsa(&RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512) },
    Method { name: "PS256", family: Family::Rsa(&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256) },
    Method { name: "PS384", family: Family::Rsa(&RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384) },
    Method { name: "PS512", family: Family::Rsa(&RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512) },
    Method { name: "ES256", family: Family::Ec(&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED) },
    Method { name: "ES384", family: Family::Ec(&ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED) },
    Method { name: "EdDSA", family: Family::Ed(&ED25519) },
    Method { name: "HS256", family: Family::Hmac(hmac::HMAC_SHA256) },
    Method { name: "HS384", family: Family::Hmac(hmac::HMAC_SHA384) },
    Method { name: "HS512", family: Family::Hmac(hmac::HMAC_SHA512) },
];

impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Method {
    /// # Errors
    /// For a name that is none.
    pub(super) fn named(name: &str) -> Result<Method, String> {
        METHODS.iter().find(|method| method.name == name).copied().ok_or_else(|| {
            let names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
            format!("the sign-method `{name}` is none of {}", names.join(", "))
        })
    }
}

/// What signs.
pub(super) enum Private {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// What signs and verifies.
pub(super) enum Keys {
    Secret(hmac::Key),
    Pair {
        /// None when only others sign.
        private: Option<Box<Private>>,
        public: UnparsedPublicKey<Vec<u8>>,
    },
}

impl std::fmt::Debug for Keys {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// From the contents of files. The public key is found from the private one when it is not given.
    ///
    /// # Errors
    /// For keys that are missing, of another form or kind, or do not belong together.
    pub(super) fn new(method: Method, private: Option<&[u8]>, public: Option<&[u8]>) -> Result<Keys, String> {
        let verification = match method.family {
            Family::Hmac(algorithm) => {
                let secret = private.filter(|secret| !secret.is_empty());
                let secret = secret.ok_or("priv-key is missing: the secret of HMAC")?;
                return Ok(Keys::Secret(hmac::Key::new(algorithm, secret)));
            }
            Family::Rsa(_, verification) | Family::Ec(_, verification) | Family::Ed(verification) => verification,
        };
        let private = private.map(|pem| Private::read(method, pem)).transpose()?;
        let public = public.map(|pem| read_public(method, pem)).transpose()?;
        let found = private.as_ref().map(Private::public);
        if let (Some(given), Some(found)) = (&public, &found)
            && given != found
        {
            return Err("pub-key and priv-key do not belong together".to_owned());
        }
        let public = public.or(found).ok_or("one of pub-key and priv-key is needed")?;
        let public = UnparsedPublicKey::new(verification, public);
        Ok(Keys::Pair { private: private.map(Box::new), public })
    }

    /// # Errors
    /// `VerifyOnly` without a private key.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        match self {
            Keys::Secret(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Keys::Pair { private, .. } => {
                let private = private.as_ref().ok_or(Error::VerifyOnly)?;
                private.sign(message).map_err(|_| Error::Store("a token cannot be signed".to_owned()))
            }
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Keys::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Keys::Pair { public, .. } => public.verify(message, signature).is_ok(),
        }
    }
}

impl Private {
    fn read(method: Method, pem: &[u8]) -> Result<Private, String> {
        let form = "PKCS #8, or PKCS #1 for RSA";
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|error| format!("priv-key is no PEM of a private key ({form}): {error}"))?;
        let rejected = |error: KeyRejected| format!("priv-key is no key for {method:?} ({form}): {error}");
        match (method.family, key) {
            (Family::Rsa(encoding, _), PrivateKeyDer::Pkcs8(der)) => {
                RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map(|pair| Private::Rsa(pair, encoding))
            }
            (Family::Rsa(encoding, _), PrivateKeyDer::Pkcs1(der)) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map(|pair| Private::Rsa(pair, encoding))
            }
            (Family::Ec(signing, _), PrivateKeyDer::Pkcs8(der)) => {
                EcdsaKeyPair::from_pkcs8(signing, der.secret_pkcs8_der(), &SystemRandom::new()).map(Private::Ec)
            }
            (Family::Ed(_), PrivateKeyDer::Pkcs8(der)) => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map(Private::Ed)
            }
            _ => return Err(format!("priv-key is no key for {method:?} ({form})")),
        }
        .map_err(rejected)
    }

    fn public(&self) -> Vec<u8> {
        match self {
            Private::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
            Private::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Private::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ring::error::Unspecified> {
        match self {
            Private::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Private::Ec(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Private::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// What names the kind of a public key, as DER.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const ED: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

fn read_public(method: Method, pem: &[u8]) -> Result<Vec<u8>, String> {
    let info = SubjectPublicKeyInfoDer::from_pem_slice(pem)
        .map_err(|error| format!("pub-key is no PEM of a public key: {error}"))?;
    let kind = match method.name {
        "ES256" => P256,
        "ES384" => P384,
        "EdDSA" => ED,
        _ => RSA,
    };
    let key = key_of(&info).filter(|(algorithm, _)| algorithm.windows(kind.len()).any(|part| part == kind));
    key.map(|(_, key)| key.to_vec()).ok_or_else(|| format!("pub-key is no key for {method:?}"))
}

/// The algorithm and the key in a `SubjectPublicKeyInfo`.
fn key_of(info: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let (content, _) = element(info, SEQUENCE)?;
    let (algorithm, rest) = element(content, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    // How many bits of the last byte are not used.
    Some((algorithm, bits.strip_prefix(&[0])?))
}

/// The content of an element of DER, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
