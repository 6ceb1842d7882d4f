//! Methods: adding, removing and renaming them, for services and the holders of access tokens.

use super::enrolment::new_handles;
use super::password::Unconfirmed;
use super::second_factor::Refused;
use super::{Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::address::Address;
use countersign_domain::assurance::{FactorsRefused, Manager, SecondFactorDue};
use countersign_domain::attempt::{Claimant, Expected};
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::add_method::AddMethod as Decision;
use countersign_domain::decisions::removal::Removal;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::method::MethodHandle;
use countersign_domain::observer::{Quota, SecondFactorResult};
use countersign_domain::one_time_code::{OneTimeCode, Subject};
use countersign_domain::presentation::Presentation;
use countersign_domain::presented_code::PresentedCode;
use countersign_domain::secret::{Digest, StepUpToken};
use countersign_domain::stored_secret::{self, SecretFingerprint};
use countersign_domain::terms::Terms;
use countersign_domain::time::Timestamp;
use countersign_domain::totp::{TotpSecret, Verdict};
use countersign_domain::user::{AccountLookup, User};
use countersign_store::work::{
    AddMethod, MethodAdded, MethodsRemoved, NewAuthenticator, NewFactor, NewMethod, PresentedTicket, RemoveMethods,
    RenameMethod, TicketKind,
};

/// A factor to be added.
#[derive(Debug)]
pub enum FactorToAdd {
    /// An authenticator app with this secret.
    Authenticator(TotpSecret),
    /// An address that a code was sent to.
    Address(Address),
}

/// A method to be added, and the code that proves it.
#[derive(Debug)]
pub struct MethodRequest<'a> {
    pub factor: FactorToAdd,
    /// As typed.
    pub code: &'a str,
    /// The user's label.
    pub name: Option<&'a str>,
    /// The challenge that waits for the account to have a second factor.
    pub challenge: Option<Digest>,
    pub proof: FreshProof<'a>,
}

/// What an owner shows besides an access token to bind a first method.
#[derive(Clone, Copy, Debug, Default)]
pub struct FreshProof<'a> {
    /// As typed.
    pub password: Option<&'a str>,
    /// Token that passing a second factor gave.
    pub step_up: Option<&'a str>,
    /// Caller-chosen secret that was given when the second factor was asked for.
    pub trust_challenge: Option<&'a str>,
}

/// A method that was added.
#[derive(Debug)]
pub struct Added {
    /// New backup codes, if it is the account's first method; `None` where the account had the app already.
    pub backup_codes: Option<Vec<BackupCode>>,
    /// The code that completes the waiting challenge.
    pub code: Option<OneTimeCode>,
}

/// Why a method is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdded {
    /// Wrong or used.
    WrongCode,
    /// The code went to another address.
    OtherAddress,
    /// Too many wrong codes for addresses that are to become methods.
    TooManyWrongCodes { until: Timestamp },
    /// The challenge is unknown or expired.
    NoChallenge,
    /// The tenant does not allow this kind.
    NotAllowed,
    /// The caller has to pass a second factor that the account has.
    SecondFactorDue(SecondFactorDue),
    /// The account is locked, or its long-term limit of guesses is reached.
    Locked { until: Timestamp },
    /// A first method asks an owner for the password or the token of a second factor.
    ProofDue,
    /// The token of the second factor is not valid, or not any more.
    StepUpExpired,
    /// The password was not confirmed.
    Unconfirmed(Unconfirmed),
    /// The account has as many methods as it may have.
    TooMany,
    /// The account is gone, or changes all the time.
    Gone,
}

/// Why methods are not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRemoved {
    NoMethod,
    /// The code does not say which method it is for.
    NotNamed,
    /// The caller has to pass a second factor that the account has.
    SecondFactorDue(SecondFactorDue),
    Refused(Refused),
}

impl Flows {
    /// Adds a method. The first one switches the second factor on and comes with backup codes.
    ///
    /// An authenticator app that the account has already is not added again: with a right code, used or not, the request is
    /// one that was sent again. It succeeds, and gives no backup codes and no code for a waiting challenge.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn add_method(
        &self,
        caller: &Caller,
        account: &Account,
        manager: Manager,
        request: MethodRequest<'_>,
        terms: &Terms,
    ) -> Result<Result<Added, NotAdded>, FlowError> {
        /// How often the account may change in between.
        const TRIES: u32 = 4;
        let now = self.now();
        let (id, handles) = self.random().draw(|random| (MethodId::generate(now, random), new_handles(random)));
        let code = PresentedCode::new(request.code);
        let (factor, macs, presentation) = match &request.factor {
            FactorToAdd::Authenticator(secret) => match secret.judge(&code, now, self.policy().totp_skew, None) {
                Verdict::Right { step } => {
                    let sealed = self.random().draw(|random| {
                        stored_secret::seal(secret, account.id, id, self.secret_binding(), self.keyring(), random)
                    });
                    let fingerprints = SecretFingerprint::all(secret, account.id, self.keyring());
                    let app = NewAuthenticator { secret: sealed, fingerprints, step };
                    (NewFactor::Authenticator(app), Vec::new(), None)
                }
                Verdict::Replayed | Verdict::Wrong => return Ok(Err(NotAdded::WrongCode)),
            },
            FactorToAdd::Address(address) => {
                let subject = Subject::Enable { account_id: account.id, address: address.clone() };
                let macs = OneTimeCode::presented(&code).macs(&subject, account.id, self.keyring());
                let expected = Expected::One(Factor::OneTimeCode);
                let presentation = Presentation::new(&code, expected, &subject, now, self.keyring());
                (NewFactor::Address(address.clone()), macs, Some(presentation))
            }
        };
        let challenge = request.challenge.map(|digest| (digest, self.random().draw(OneTimeCode::generate)));
        let method = NewMethod { id, handles, name: request.name.map(str::to_owned), factor };
        let asks_for_proof = !manager.is_service() && !account.two_factor_enabled;
        let FreshProof { password, step_up, trust_challenge } = request.proof;
        let mut has_password = false;
        if let Some(password) = password.filter(|_| asks_for_proof) {
            if let Err(unconfirmed) = self.confirm_password(caller, account, password).await? {
                return Ok(Err(NotAdded::Unconfirmed(unconfirmed)));
            }
            has_password = true;
        }
        let step_up = match step_up.filter(|_| asks_for_proof && !has_password).map(StepUpToken::parse) {
            None => None,
            Some(None) => return Ok(Err(NotAdded::StepUpExpired)),
            Some(Some(token)) => Some(PresentedTicket {
                kind: TicketKind::StepUp,
                digest: token.digest(),
                trust_challenges: trust_challenge
                    .map(|text| Digest::of_trust_challenge(text, account.id, self.keyring()))
                    .unwrap_or_default(),
            }),
        };
        let mut account = account.clone();
        for _ in 0..TRIES {
            let known_apps = self.known_apps(account.id, &request.factor).await?;
            let (backup_codes, stored) = match account.two_factor_enabled {
                true => (None, Vec::new()),
                false => {
                    let (codes, stored) = self.new_backup_codes(caller, account.id, terms.backup_codes).await?;
                    (Some(codes), stored)
                }
            };
            let add = AddMethod {
                account_id: account.id,
                versions: account.versions(),
                manager,
                has_password,
                step_up: step_up.clone(),
                method: method.clone(),
                known_apps,
                macs: macs.clone(),
                presentation,
                backup_codes: stored,
                challenge: challenge.as_ref().map(|(digest, code)| {
                    (*digest, code.mac(&Subject::Challenge(*digest), account.id, self.keyring()))
                }),
                rules: self.rules(),
                terms: *terms,
                now,
                audit: self.factor_audit(caller, Some(factor_of(&request.factor)), Some(account.id), None, now),
            };
            let code = challenge.as_ref().map(|(_, code)| code.clone());
            return Ok(match self.store().add_method(add).await? {
                MethodAdded::Decided(Decision::First(_)) => Ok(Added { backup_codes, code }),
                MethodAdded::Decided(Decision::Further) => Ok(Added { backup_codes: None, code }),
                MethodAdded::Decided(Decision::AlreadyAdded { .. }) => Ok(Added { backup_codes: None, code: None }),
                MethodAdded::Decided(Decision::Replayed) => Err(NotAdded::WrongCode),
                MethodAdded::Decided(Decision::NotAllowed) => Err(NotAdded::NotAllowed),
                MethodAdded::Decided(Decision::Refused(FactorsRefused::SecondFactorDue(due))) => {
                    Err(NotAdded::SecondFactorDue(due))
                }
                MethodAdded::Decided(Decision::Refused(FactorsRefused::Locked { until })) => {
                    Err(NotAdded::Locked { until })
                }
                MethodAdded::Decided(Decision::ProofDue) if step_up.is_some() => Err(NotAdded::StepUpExpired),
                MethodAdded::Decided(Decision::ProofDue) => Err(NotAdded::ProofDue),
                MethodAdded::Decided(Decision::TooMany) => Err(NotAdded::TooMany),
                MethodAdded::Decided(Decision::NoChallenge) => Err(NotAdded::NoChallenge),
                MethodAdded::WrongCode => Err(NotAdded::WrongCode),
                MethodAdded::OtherAddress => Err(NotAdded::OtherAddress),
                MethodAdded::TooManyWrongCodes { until } => {
                    self.note_exceeded(caller, Quota::NewMethods);
                    Err(NotAdded::TooManyWrongCodes { until })
                }
                MethodAdded::Stale => match self.store().account(AccountLookup::Id(account.id)).await? {
                    Some(current) => {
                        // The password that was right may not be the password any more.
                        has_password &= current.credentials_version == account.credentials_version;
                        account = current;
                        continue;
                    }
                    None => Err(NotAdded::Gone),
                },
            });
        }
        Ok(Err(NotAdded::Gone))
    }

    /// The account's apps, each with whether its secret is the same as that of the app to be added.
    async fn known_apps(
        &self,
        account_id: AccountId,
        factor: &FactorToAdd,
    ) -> Result<Vec<(MethodId, bool)>, FlowError> {
        let FactorToAdd::Authenticator(secret) = factor else { return Ok(Vec::new()) };
        let (confirmed, pending) = self.store().authenticators_of(account_id).await?;
        let compared =
            confirmed.iter().chain(&pending).filter_map(|app| match stored_secret::open(app, self.keyring()) {
                Ok(known) => Some((app.id, known.secret.is_same(secret))),
                // Its fingerprint is compared, if it has one.
                Err(_) => app.fingerprint.is_none().then_some((app.id, false)),
            });
        Ok(compared.collect())
    }

    /// Removes the method with this handle, or with a backup code all methods.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub async fn remove_methods(
        &self,
        caller: &Caller,
        user: &User,
        manager: Manager,
        code: &str,
        handle: Option<&str>,
    ) -> Result<Result<(), NotRemoved>, FlowError> {
        let account_id = user.account.id;
        if let Err(due) = manager.check_assurance(&user.account, self.policy(), self.now()) {
            return Ok(Err(NotRemoved::SecondFactorDue(due)));
        }
        let named = match handle {
            None => None,
            Some(handle) => match user.methods.iter().find(|method| method.handle.as_str() == handle) {
                Some(method) => Some(method.id),
                None => return Ok(Err(NotRemoved::NoMethod)),
            },
        };
        let code = PresentedCode::new(code);
        let backup_code = !BackupCode::parse_typed(&code).is_empty();
        if named.is_none() && !backup_code {
            return Ok(Err(NotRemoved::NotNamed));
        }
        let now = self.now();
        // Without a method there is no sent code: none is stored for a new id.
        let method_id = named.unwrap_or_else(|| self.random().draw(|random| MethodId::generate(now, random)));
        let claimant = Claimant::Holder { account_id, subject: Subject::Disable { account_id, method_id } };
        let judged = self.judge_second_factor(caller, claimant, Expected::Any { backup_code }, &code).await?;
        let judged = match judged {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(NotRemoved::Refused(refused))),
        };
        let factor = judged.proof.factor();
        let audit = AuditContext { factor: Some(factor), ..self.audit(caller, now).about(account_id) };
        let remove = RemoveMethods {
            claimant: judged.claimant.clone(),
            account_id,
            proof: judged.proof.clone(),
            renewal: judged.renewal.clone(),
            charge: judged.charge,
            named,
            manager,
            rules: self.rules(),
            now,
            more_audit: self.random().draw(|random| audit.again(random)),
            audit,
        };
        let removed = match self.store().remove_methods(remove).await {
            Ok(removed) => removed,
            Err(error) => {
                self.return_attempt(caller, &judged).await;
                return Err(error.into());
            }
        };
        let refused = match removed {
            MethodsRemoved::Decided(
                Removal::One(_) | Removal::Passkey(_) | Removal::LastPasskey(_) | Removal::SwitchOff,
            ) => {
                self.note_second_factor(caller, Some(factor), SecondFactorResult::Success);
                return Ok(Ok(()));
            }
            MethodsRemoved::Decided(Removal::NotNamed) => NotRemoved::NotNamed,
            MethodsRemoved::Decided(Removal::NoMethod) => NotRemoved::NoMethod,
            MethodsRemoved::Decided(Removal::SecondFactorDue(due)) => NotRemoved::SecondFactorDue(due),
            MethodsRemoved::ProofSpent => {
                self.record_replay(caller, &judged).await;
                return Ok(Err(NotRemoved::Refused(Refused::WrongCode)));
            }
        };
        self.return_attempt(caller, &judged).await;
        Ok(Err(refused))
    }

    /// Sets or clears the label of a method; `false` if there is no such method.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rename_method(
        &self,
        caller: &Caller,
        account_id: AccountId,
        handle: &str,
        name: Option<&str>,
    ) -> Result<bool, FlowError> {
        let Some(handle) = MethodHandle::parse(handle) else { return Ok(false) };
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::MethodRenamed);
        let rename = RenameMethod { account_id, handle, name: name.map(str::to_owned), event };
        Ok(self.store().rename_method(rename).await?)
    }
}

fn factor_of(factor: &FactorToAdd) -> Factor {
    match factor {
        FactorToAdd::Authenticator(_) => Factor::Totp,
        FactorToAdd::Address(_) => Factor::OneTimeCode,
    }
}
