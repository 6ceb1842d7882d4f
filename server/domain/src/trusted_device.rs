//! Trusted devices: browsers that may skip the second factor for a while.
//!
//! A trust is a random token. A rotating one is replaced by each use; a lasting one stays valid until it expires. It does
//! not authenticate the user of the device (N14), so a session opened with it has passed no second factor.
//!
//! Both forms are tied to their account by a MAC: that of a rotating token is part of the token, that of a lasting one is
//! what is stored. A row that is moved to another account opens nothing there.

use crate::device::DeviceName;
use crate::ids::{AccountId, ApplicationId, TrustedDeviceId};
use crate::keyring::{Keyring, Purpose};
use crate::policy::Policy;
use crate::secret::{Bearer, Digest, TrustToken, TwoFactorTrustId};
use crate::terms::TrustForm;
use crate::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A trusted device as stored, without its digest.
#[derive(Clone, Debug)]
pub struct TrustedDevice {
    /// Not a credential; the user names the device by it.
    pub id: TrustedDeviceId,
    /// The name that the user or the client has given it.
    pub name: Option<DeviceName>,
    /// `User-Agent` of the client that used it last; empty if unknown.
    pub user_agent: String,
    /// IP address from which it was used last; empty if unknown.
    pub ip_address: String,
    /// Application in which the trust was given.
    pub application_id: Option<ApplicationId>,
    /// Time at which a second factor was passed for it; a rotating token keeps it.
    pub given_at: Timestamp,
    /// Time of the last sign-in by it, or of that which gave it.
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
}

impl TrustedDevice {
    /// Whether it may stand in for a second factor at `now`. A lifetime that was shortened holds for trust that was given before.
    #[must_use]
    pub fn is_live(&self, now: Timestamp, policy: &Policy) -> bool {
        now < self.expires_at && now < self.given_at + policy.trust_absolute_lifetime
    }

    /// The name that a list shows.
    #[must_use]
    pub fn shown_name(&self) -> DeviceName {
        self.name.clone().unwrap_or_else(|| DeviceName::of_user_agent(&self.user_agent))
    }
}

/// The id of a trust whose first token has this digest. It follows from the digest, so that trust which a version without ids has
/// stored has one, too; nothing follows from it.
#[must_use]
pub fn id_of(digest: &Digest) -> TrustedDeviceId {
    let hash = Sha256::new().chain_update(b"trusted device").chain_update(digest.as_bytes()).finalize();
    TrustedDeviceId::of_bytes(std::array::from_fn(|place| hash[place]))
}

/// A new token of this form, as the client gets it, and the digest that is stored.
#[must_use]
pub fn generate(form: TrustForm, account: AccountId, keyring: &Keyring, random: &mut dyn CryptoRng) -> Bearer {
    match form {
        TrustForm::Rotating => {
            let token = TrustToken::generate(random);
            Bearer::new(cookie_value(&token, account, keyring), token.digest())
        }
        TrustForm::Lasting => {
            let token = TwoFactorTrustId::generate_signed(keyring, random);
            let digest = keyring.mac(Purpose::LastingTrust, lasting_message(account, &token).as_bytes());
            Bearer::new(token.expose().to_owned(), Digest::of_mac(digest))
        }
    }
}

/// Digests by which a presented token of this form may be stored; empty if it cannot belong to this account.
#[must_use]
pub fn read(form: TrustForm, text: &str, account: AccountId, keyring: &Keyring) -> Vec<Digest> {
    match form {
        TrustForm::Rotating => {
            read_cookie_value(text, account, keyring).map(|token| token.digest()).into_iter().collect()
        }
        TrustForm::Lasting => {
            let Some(token) = TwoFactorTrustId::parse(text) else { return Vec::new() };
            let macs = keyring.macs(Purpose::LastingTrust, lasting_message(account, &token).as_bytes());
            macs.into_iter().map(Digest::of_mac).collect()
        }
    }
}

/// Whether a lasting token was made with a key of this ring, for whichever account. It may have ended since.
#[must_use]
pub fn is_signed(text: &str, keyring: &Keyring) -> bool {
    TwoFactorTrustId::parse(text).is_some_and(|token| token.is_signed(keyring))
}

fn lasting_message(account: AccountId, token: &TwoFactorTrustId) -> Zeroizing<String> {
    Zeroizing::new(format!("{account}!{}", token.expose()))
}

/// The value of the trust cookie before it is signed: `<mac>!<token>`, the MAC tying the token to its account
/// (wire reference §9).
fn cookie_value(token: &TrustToken, account: AccountId, keyring: &Keyring) -> String {
    let tag = keyring.mac(Purpose::TrustCookie, message(account, token).as_bytes());
    format!("{}!{}", BASE64URL_NOPAD.encode(&tag), token.expose())
}

/// Reads a cookie value back: the token, if the value was made for `account`.
fn read_cookie_value(value: &str, account: AccountId, keyring: &Keyring) -> Option<TrustToken> {
    let (tag, token) = value.split_once('!')?;
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
    let token = TrustToken::parse(token)?;
    keyring.verify(Purpose::TrustCookie, message(account, &token).as_bytes(), &tag).then_some(token)
}

fn message(account: AccountId, token: &TrustToken) -> String {
    format!("{account}!{}", token.expose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_cookie_value_reads_back_for_its_account_only() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let ring = Keyring::generate(&mut random);
        let mut account = || AccountId::generate(Timestamp::from_millis(0), &mut ChaCha20Rng::from_rng(&mut random));
        let (mine, other) = (account(), account());
        let token = TrustToken::generate(&mut ChaCha20Rng::seed_from_u64(2));
        let value = cookie_value(&token, mine, &ring);
        assert_eq!(read_cookie_value(&value, mine, &ring).expect("mine").digest(), token.digest());
        assert!(read_cookie_value(&value, other, &ring).is_none());
        for odd in ["", "!", "a!b", &value[1..], &value.replace('!', "")] {
            assert!(read_cookie_value(odd, mine, &ring).is_none());
        }
    }

    #[test]
    fn a_lasting_token_is_stored_for_its_account_only_and_found_after_a_rotation_43() {
        let mut random = ChaCha20Rng::seed_from_u64(3);
        let old = Keyring::generate(&mut random);
        let text = format!("{}{}", *Keyring::generate(&mut random).to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).expect("two keys");
        let [mine, other] = [0, 1].map(|at| AccountId::generate(Timestamp::from_millis(at), &mut random));
        let token = generate(TrustForm::Lasting, mine, &old, &mut random);
        let read = |account, ring: &Keyring| read(TrustForm::Lasting, token.expose(), account, ring);
        assert_eq!(read(mine, &old), [token.digest()]);
        assert!(read(mine, &rotated).contains(&token.digest()));
        assert!(!read(other, &old).contains(&token.digest()));
        let plain = TwoFactorTrustId::parse(token.expose()).expect("its text").digest();
        assert_ne!(token.digest(), plain, "who has no keyring cannot make a row");
    }
}
