//! Access tokens: JSON Web Tokens (RFC 7519), signed (RFC 7515) with keys derived from the keyring.
//!
//! Algorithm and key id in a token's header name exactly one key of the ring, and no other is tried; the algorithm has to be the
//! configured one or one that is retired. This rules out algorithm confusion, and a token signed by an older key stays valid until that key leaves the ring. Ed25519 (RFC 8037)
//! and P-256 keys are derived from the ring's root keys; an RSA key cannot be, and is stored in the ring.

use crate::account::Account;
use crate::ids::{AccountId, ApplicationId, RefreshTokenId, TenantId};
use crate::keyring::Keyring;
use crate::signing::{Algorithm, SigningKey};
use crate::time::Timestamp;
use crate::user::Registration;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Accepted clock skew: how far another node's clock may be ahead.
const LEEWAY: Duration = Duration::from_secs(60);
/// Longest accepted token in bytes; issued ones are far shorter.
const LONGEST: usize = 8_192;

/// How access tokens are issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenSettings {
    /// `iss` of every token.
    pub issuer: String,
    /// Signs new tokens.
    pub algorithm: Algorithm,
    /// Signed tokens until now: theirs are still accepted, and their keys published.
    pub retiring: Vec<Algorithm>,
}

impl AccessTokenSettings {
    /// The algorithms whose tokens are accepted, the signing one first.
    pub fn accepted(&self) -> impl Iterator<Item = Algorithm> {
        let retiring = self.retiring.iter().copied().filter(|other| *other != self.algorithm);
        std::iter::once(self.algorithm).chain(retiring)
    }
}

/// Claims of an access token. Times are seconds since the epoch, ids have hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Application that the token is issued for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    pub exp: i64,
    pub iat: i64,
    pub iss: String,
    pub sub: String,
    pub jti: String,
    /// How the user signed in, in the terms of the FusionAuth dialect.
    #[serde(rename = "authenticationType")]
    pub authentication_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub email_verified: bool,
    /// Login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Application that the user is registered for.
    #[serde(rename = "applicationId", skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    /// The user's roles in that application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Id of the registration for that application. A registration that takes the place of one that was deleted has another id.
    #[serde(rename = "rid", default, skip_serializing_if = "Option::is_none")]
    pub registration_id: Option<String>,
    /// Id of the refresh tokens of the same sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Time of the sign-in.
    pub auth_time: i64,
    /// Tenant that owns the account.
    pub tid: String,
    /// Authentication methods of the sign-in (RFC 8176): `mfa` if a second factor was passed, else `pwd`.
    pub amr: Vec<String>,
    /// Authentication context class (OpenID Connect Core §2): [`Claims::ONE_FACTOR`] or [`Claims::TWO_FACTORS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Version of the account's credentials at the sign-in. The token ends when that is raised. A node of a version before
    /// this one leaves it out, which counts as zero.
    #[serde(rename = "cv", default)]
    pub credentials_version: i64,
    /// Version of the account's second factors at the sign-in. `mfa` counts until that is raised.
    #[serde(rename = "fv", default)]
    pub factors_version: i64,
}

impl Claims {
    /// `acr` of a sign-in by password alone, or from a trusted device.
    pub const ONE_FACTOR: &str = "urn:countersign:factors:1";
    /// `acr` of a sign-in in which a second factor was passed.
    pub const TWO_FACTORS: &str = "urn:countersign:factors:2";

    /// The account that the token is about (`sub`); `None` if that is no account id.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(&self.sub)
    }

    /// The tenant of that account (`tid`); `None` if that is no tenant id.
    #[must_use]
    pub fn tenant_id(&self) -> Option<TenantId> {
        TenantId::parse(&self.tid)
    }

    /// The application that the token is for (`aud`); `None` if that is missing or no application id.
    #[must_use]
    pub fn audience(&self) -> Option<ApplicationId> {
        self.aud.as_deref().and_then(ApplicationId::parse)
    }

    /// Id of the refresh tokens of the same sign-in; `None` if there are none.
    #[must_use]
    pub fn session(&self) -> Option<RefreshTokenId> {
        self.sid.as_deref().and_then(RefreshTokenId::parse)
    }

    /// The claims as they count for an account: a second factor that was passed before the account's factors changed is
    /// none any more.
    #[must_use]
    pub fn for_account(self, account: &Account) -> Self {
        if self.factors_version == account.factors_version {
            return self;
        }
        Self { amr: vec!["pwd".to_owned()], acr: Some(Self::ONE_FACTOR.to_owned()), ..self }
    }

    /// Whether the user still has the registration that the token was issued with; true for a token without one. A token of a
    /// version before [`Claims::registration_id`] does not tell a registration from one that has taken its place; it expires
    /// within the lifetime of access tokens.
    #[must_use]
    pub fn has_registration(&self, registrations: &[Registration]) -> bool {
        let Some(application) = &self.application_id else { return true };
        let is_it = |found: &Registration| {
            let is_same = |id: &str| found.id.to_hyphenated() == id;
            found.application_id.to_hyphenated() == *application && self.registration_id.as_deref().is_none_or(is_same)
        };
        registrations.iter().any(is_it)
    }

    /// Whether a second factor was passed in the sign-in.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.amr.iter().any(|method| method == "mfa")
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: Algorithm,
    kid: String,
    typ: String,
}

/// Why no token can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The keyring has no key for the algorithm.
    #[error(
        "the keyring holds no {} key; `countersign generate-keyring{}` makes a keyring with one",
        .0.name(),
        if *.0 == Algorithm::Rs256 { " --rs256" } else { "" }
    )]
    NoKey(Algorithm),
    #[error("the signing key does not work")]
    Broken,
}

/// Signs a token with the first key of the ring for this algorithm.
///
/// # Errors
/// If the ring has no key for the algorithm, or the key cannot sign.
pub fn sign(claims: &Claims, algorithm: Algorithm, keyring: &Keyring) -> Result<String, SignError> {
    let (kid, key) = keyring.signing_keys(algorithm).into_iter().next().ok_or(SignError::NoKey(algorithm))?;
    let header = Header { alg: algorithm, kid, typ: "JWT".to_owned() };
    let part = |json: Result<Vec<u8>, serde_json::Error>| {
        json.map(|json| BASE64URL_NOPAD.encode(&json)).map_err(|_| SignError::Broken)
    };
    let message = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(claims))?);
    let signature = signature(&key, message.as_bytes()).ok_or(SignError::Broken)?;
    Ok(format!("{message}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// Makes sure that there is a key for this algorithm.
///
/// # Errors
/// If there is none in the ring.
pub fn check_signing(algorithm: Algorithm, keyring: &Keyring) -> Result<(), SignError> {
    keyring.signing_keys(algorithm).into_iter().next().map(drop).ok_or(SignError::NoKey(algorithm))
}

fn signature(key: &SigningKey, message: &[u8]) -> Option<Vec<u8>> {
    match key {
        SigningKey::EdDsa(pair) => Some(pair.sign(message).as_ref().to_vec()),
        SigningKey::Es256(pair) => pair.sign(&SystemRandom::new(), message).ok().map(|made| made.as_ref().to_vec()),
        SigningKey::Rs256(pair) => {
            let mut made = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut made).ok()?;
            Some(made)
        }
    }
}

/// Verifies algorithm, signature, issuer and time of a token; `None` if any of them is wrong. A key that the operator has not
/// chosen an algorithm for signs nothing here, though it can be derived from every keyring.
#[must_use]
pub fn verify(token: &str, now: Timestamp, settings: &AccessTokenSettings, keyring: &Keyring) -> Option<Claims> {
    if token.len() > LONGEST {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: Header = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).ok()?).ok()?;
    if header.typ != "JWT" || !settings.accepted().any(|accepted| accepted == header.alg) {
        return None;
    }
    let (_, key) = keyring.signing_keys(header.alg).into_iter().find(|(kid, _)| *kid == header.kid)?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    let verified = match &*key {
        SigningKey::EdDsa(pair) => verified(&ED25519, pair.public_key().as_ref(), message, &signature),
        SigningKey::Es256(pair) => verified(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref(), message, &signature),
        SigningKey::Rs256(pair) => {
            verified(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref(), message, &signature)
        }
    };
    if !verified {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()?;
    let now_seconds = i64::try_from(now.as_unix_seconds()).ok()?;
    let ahead = i64::try_from(LEEWAY.as_secs()).ok()?;
    let is_now = claims.exp > now_seconds && claims.iat <= now_seconds.saturating_add(ahead);
    (is_now && claims.iss == settings.issuer).then_some(claims)
}

fn verified(
    algorithm: &'static dyn aws_lc_rs::signature::VerificationAlgorithm,
    public: &[u8],
    message: &str,
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, public).verify(message.as_bytes(), signature).is_ok()
}

/// A public key (RFC 7517), with which resource servers verify tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Key type: `OKP`, `EC` or `RSA`.
    pub kty: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub use_: &'static str,
    pub alg: Algorithm,
    /// Key id, as in the tokens' headers.
    pub kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<&'static str>,
    /// The public key of Ed25519, or the first coordinate of a P-256 point; base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate of a P-256 point; base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// The public keys of all tokens that [`verify`] accepts: those of the signing algorithm first, and among them the signing
/// key.
#[must_use]
pub fn public_keys(settings: &AccessTokenSettings, keyring: &Keyring) -> Vec<Jwk> {
    settings.accepted().flat_map(|algorithm| public_keys_for(algorithm, keyring)).collect()
}

fn public_keys_for(algorithm: Algorithm, keyring: &Keyring) -> impl Iterator<Item = Jwk> + use<> {
    let bare =
        move |kty, kid| Jwk { kty, use_: "sig", alg: algorithm, kid, crv: None, x: None, y: None, n: None, e: None };
    let text = |bytes: &[u8]| Some(BASE64URL_NOPAD.encode(bytes));
    keyring.signing_keys(algorithm).into_iter().map(move |(kid, key)| match &*key {
        SigningKey::EdDsa(pair) => {
            Jwk { crv: Some("Ed25519"), x: text(pair.public_key().as_ref()), ..bare("OKP", kid) }
        }
        SigningKey::Es256(pair) => {
            // An uncompressed point (SEC 1 §2.3.3): a tag and two coordinates.
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            Jwk { crv: Some("P-256"), x: text(x), y: text(y), ..bare("EC", kid) }
        }
        SigningKey::Rs256(pair) => {
            let public = pair.public_key();
            let n = text(public.modulus().big_endian_without_leading_zero());
            let e = text(public.exponent().big_endian_without_leading_zero());
            Jwk { n, e, ..bare("RSA", kid) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RegistrationId;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const ISSUER: &str = "https://id.example";

    fn settings(issuer: &str, algorithm: Algorithm, retiring: &[Algorithm]) -> AccessTokenSettings {
        AccessTokenSettings { issuer: issuer.to_owned(), algorithm, retiring: retiring.to_vec() }
    }

    /// Every algorithm is accepted.
    fn all() -> AccessTokenSettings {
        settings(ISSUER, Algorithm::EdDsa, &Algorithm::ALL)
    }

    #[test]
    fn tokens_and_keys_are_those_of_the_algorithms_that_were_chosen_38() {
        let ring = ring(10);
        for chosen in Algorithm::ALL {
            for retiring in [vec![], vec![Algorithm::Es256], vec![Algorithm::EdDsa, Algorithm::Rs256]] {
                let settings = settings(ISSUER, chosen, &retiring);
                for algorithm in Algorithm::ALL {
                    let token = sign(&claims(1_000), algorithm, &ring).expect("signed");
                    let is_accepted = algorithm == chosen || retiring.contains(&algorithm);
                    assert_eq!(verify(&token, at(1_000), &settings, &ring).is_some(), is_accepted, "{settings:?}");
                    let mut keys = public_keys(&settings, &ring).into_iter();
                    assert_eq!(keys.any(|key| key.alg == algorithm), is_accepted, "{settings:?}");
                }
                assert_eq!(public_keys(&settings, &ring)[0].alg, chosen);
            }
        }
    }

    fn ring(seed: u64) -> Keyring {
        let mut ring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(seed));
        ring.add_rsa_key().expect("a key");
        ring
    }

    fn claims(now: i64) -> Claims {
        Claims {
            aud: None,
            exp: now + 3_600,
            iat: now,
            iss: ISSUER.to_owned(),
            sub: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned(),
            jti: "1".to_owned(),
            authentication_type: "PASSWORD".to_owned(),
            email: Some("ada@example.com".to_owned()),
            email_verified: false,
            preferred_username: None,
            application_id: None,
            roles: None,
            registration_id: None,
            sid: None,
            auth_time: now,
            tid: TenantId::DEFAULT.to_hyphenated(),
            amr: vec!["pwd".to_owned()],
            acr: Some(Claims::ONE_FACTOR.to_owned()),
            credentials_version: 2,
            factors_version: 1,
        }
    }

    #[test]
    fn a_token_stands_while_the_registration_that_it_was_issued_with_is_there() {
        let id = |last: u8| format!("22222222-2222-4222-8222-00000000000{last}");
        let registration = |id: &str, application: &str| Registration {
            id: RegistrationId::parse(id).expect("an id"),
            application_id: ApplicationId::parse(application).expect("an id"),
            roles: Vec::new(),
            username: None,
            data: None,
            last_sign_in_at: None,
            created_at: at(0),
            updated_at: at(0),
        };
        let (first, second, other) =
            (registration(&id(1), &id(8)), registration(&id(2), &id(8)), registration(&id(1), &id(9)));
        for (application, registration_id, registrations, expected) in [
            (None, None, vec![], true),
            (Some(8), Some(1), vec![first.clone()], true),
            (Some(8), Some(1), vec![other.clone(), first.clone()], true),
            (Some(8), Some(1), vec![], false),
            (Some(8), Some(1), vec![other.clone()], false),
            // Made anew.
            (Some(8), Some(1), vec![second.clone()], false),
            // Issued by a node of an earlier version.
            (Some(8), None, vec![second], true),
            (Some(8), None, vec![other], false),
        ] {
            let application_id = application.map(id);
            let claims = Claims { application_id, registration_id: registration_id.map(id), ..claims(0) };
            let found = claims.has_registration(&registrations);
            assert_eq!(found, expected, "{application:?} {registration_id:?} {registrations:?}");
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_token_is_good_for_its_time_and_issuer_with_every_algorithm() {
        let ring = ring(1);
        for algorithm in Algorithm::ALL {
            let token = sign(&claims(1_000), algorithm, &ring).expect("signed");
            assert_eq!(verify(&token, at(1_000), &all(), &ring), Some(claims(1_000)), "{algorithm:?}");
            assert_eq!(verify(&token, at(940), &all(), &ring), Some(claims(1_000)), "a minute ahead");
            for (now, issuer) in [(4_600, ISSUER), (939, ISSUER), (1_000, "https://other.example")] {
                assert_eq!(
                    verify(&token, at(now), &settings(issuer, algorithm, &[]), &ring),
                    None,
                    "{algorithm:?} {now} {issuer}"
                );
            }
        }
    }

    fn decoded(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url")
    }

    /// RFC 8037 appendix A.4, with the key of A.1.
    #[test]
    fn an_ed25519_signature_is_that_of_the_rfc() {
        let seed = decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        let public = decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).expect("the RFC's key");
        let made = signature(&SigningKey::EdDsa(pair), message.as_bytes()).expect("signed");
        assert_eq!(BASE64URL_NOPAD.encode(&made), expected);
        assert!(verified(&ED25519, &public, message, &made));
        assert!(!verified(&ED25519, &public, &message.replace('R', "S"), &made));
    }

    /// RFC 7515 appendix A.3. ECDSA signatures are randomised, so the RFC's signature and a new one are verified.
    #[test]
    fn an_es256_signature_of_the_rfc_is_verified() {
        let scalar = decoded("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        let x = decoded("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let y = decoded("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let public = [&[4][..], &x, &y].concat();
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog\
                       Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let given = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let key = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &scalar, &public);
        let made = signature(&SigningKey::Es256(key.expect("the RFC's key")), message.as_bytes()).expect("signed");
        for signature in [decoded(given), made] {
            assert!(verified(&ECDSA_P256_SHA256_FIXED, &public, message, &signature));
            assert!(!verified(&ECDSA_P256_SHA256_FIXED, &public, &message.replace('J', "K"), &signature));
        }
    }

    #[test]
    fn a_rotated_ring_verifies_what_the_old_one_signed_a_13_3_4() {
        let old = ring(2);
        let text = format!("{}{}", *Keyring::generate(&mut ChaCha20Rng::seed_from_u64(3)).to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).expect("two keys");
        for algorithm in Algorithm::ALL {
            let token = sign(&claims(1_000), algorithm, &old).expect("signed");
            assert!(verify(&token, at(1_000), &all(), &rotated).is_some(), "{algorithm:?}");
            let newer = sign(&claims(1_000), algorithm, &rotated).expect("signed");
            let is_known = verify(&newer, at(1_000), &all(), &old).is_some();
            assert_eq!(is_known, algorithm == Algorithm::Rs256, "{algorithm:?}: the new root key signs");
            assert_eq!(verify(&token, at(1_000), &all(), &ring(4)), None, "another ring's");
        }
    }

    #[test]
    fn no_part_of_a_token_can_be_changed_38() {
        let ring = ring(5);
        for algorithm in Algorithm::ALL {
            let token = sign(&claims(1_000), algorithm, &ring).expect("signed");
            for (place, letter) in token.char_indices() {
                let other = if letter == 'A' { "B" } else { "A" };
                let mut changed = token.clone();
                changed.replace_range(place..=place, other);
                // The last letter of a part may hold bits that mean nothing; a strict decoder refuses those, too.
                assert_eq!(verify(&changed, at(1_000), &all(), &ring), None, "{algorithm:?} {place}");
            }
        }
    }

    #[test]
    fn no_algorithm_can_be_talked_into_38() {
        let ring = ring(6);
        let encode = |json: &serde_json::Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let payload = encode(&serde_json::to_value(claims(1_000)).expect("JSON"));
        let kid = public_keys(&settings(ISSUER, Algorithm::Rs256, &[]), &ring)[0].kid.clone();
        for alg in ["none", "HS256", "RS512", "EdDSA", "ES256"] {
            let header = encode(&serde_json::json!({"alg": alg, "kid": kid, "typ": "JWT"}));
            for signature in ["", "AAAA"] {
                assert_eq!(verify(&format!("{header}.{payload}.{signature}"), at(1_000), &all(), &ring), None, "{alg}");
            }
        }
    }

    #[test]
    fn others_can_verify_with_the_public_keys_and_nothing_else() {
        let ring = ring(7);
        let decode = |text: &Option<String>| {
            BASE64URL_NOPAD.decode(text.as_deref().unwrap_or_default().as_bytes()).expect("base64url")
        };
        for algorithm in Algorithm::ALL {
            let token = sign(&claims(1_000), algorithm, &ring).expect("signed");
            let (message, signature) = token.rsplit_once('.').expect("three parts");
            let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64url");
            let keys = public_keys(&settings(ISSUER, algorithm, &Algorithm::ALL), &ring);
            let [key, _, _] = keys.as_slice() else { panic!("a key for each algorithm: {keys:?}") };
            assert_eq!(key.alg, algorithm);
            let good = match algorithm {
                Algorithm::EdDsa => verified(&ED25519, &decode(&key.x), message, &signature),
                Algorithm::Es256 => {
                    let point = [&[4][..], &decode(&key.x), &decode(&key.y)].concat();
                    verified(&ECDSA_P256_SHA256_FIXED, &point, message, &signature)
                }
                Algorithm::Rs256 => {
                    let (n, e) = (decode(&key.n), decode(&key.e));
                    let public = aws_lc_rs::signature::RsaPublicKeyComponents { n, e };
                    public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).is_ok()
                }
            };
            assert!(good, "{algorithm:?}");
            let shown = serde_json::to_value(key).expect("JSON");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(shown.get(private).is_none(), "{private}");
            }
            assert_eq!((&shown["use"], &shown["alg"]), (&"sig".into(), &algorithm.name().into()));
        }
    }

    #[test]
    fn without_an_rsa_key_there_is_no_rs256() {
        let ring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(8));
        assert_eq!(sign(&claims(0), Algorithm::Rs256, &ring), Err(SignError::NoKey(Algorithm::Rs256)));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "[A-Za-z0-9_.=-]{0,200}") {
            let ring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(9));
            prop_assert_eq!(verify(&text, at(1_000), &all(), &ring), None);
        }
    }
}
