//! Passkeys of another server.

use super::credentials;
use super::passkey_wire::unpadded;
use super::values::{blank, body_value};
use super::{Context, passkey_refusal, refusal};
use countersign_api::Reply;
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::decisions::passkey_management::AddPasskey;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::passkey::public_key::{Algorithm, PublicKey};
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::passkey::{CredentialId, Description, Transports};
use countersign_domain::time::Timestamp;
use countersign_flows::passkeys::{ForeignPasskey, NotImported};

/// `POST /api/webauthn/import`
pub(super) async fn import(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasskeyImport,
) -> Result<Reply<replies::ImportPasskeys>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    let domain = flows.passkey_domain().ok_or_else(refusal::not_found)?;
    let credentials = body.credentials.unwrap_or_default();
    let mut errors = Errors::default();
    if credentials.is_empty() {
        blank(&mut errors, "credentials");
    }
    let read = |(number, fields)| Fields { number, fields, errors: &mut errors }.read(&domain);
    // All are read, so that all that is wrong is said.
    let foreign: Vec<Option<ForeignPasskey>> = credentials.iter().enumerate().map(read).collect();
    let foreign: Option<Vec<ForeignPasskey>> = foreign.into_iter().collect();
    let Some(foreign) = foreign.filter(|_| errors.is_empty()) else { return Err(Error::of_errors(errors)) };
    let imported = flows.import_passkeys(&call.caller, call.tenant, foreign).await.map_err(refusal::of_failure)?;
    match imported {
        Ok(()) => Ok(Reply::ok(NoBody)),
        Err((number, why)) => Err(not_imported(number, why)),
    }
}

fn not_imported(number: usize, why: NotImported) -> Error {
    let duplicate = |name| {
        let field = path(number, name);
        Error::of_field(&field, "duplicate", format!("There is a passkey with this [{field}] already."))
    };
    match why {
        NotImported::NoAccount => {
            let field = path(number, "userId");
            Error::of_field(&field, "invalid", format!("The [{field}] is not the id of a user."))
        }
        NotImported::Refused(AddPasskey::TooMany) => passkey_refusal::too_many(),
        NotImported::Refused(_) => passkey_refusal::not_allowed(),
        NotImported::CredentialTaken => duplicate("credentialId"),
        NotImported::IdTaken => duplicate("id"),
    }
}

fn path(number: usize, name: &str) -> String {
    format!("credentials[{number}].{name}")
}

/// One passkey of a body, and what is wrong with it.
struct Fields<'a> {
    number: usize,
    fields: &'a requests::ForeignPasskey,
    errors: &'a mut Errors,
}

impl Fields<'_> {
    fn read(mut self, domain: &RelyingPartyId) -> Option<ForeignPasskey> {
        let fields = self.fields;
        let id = body_value(fields.id.as_ref()).map(|text| self.parsed("id", text, MethodId::parse));
        let account_id = self.required("userId", fields.user_id.as_ref(), AccountId::parse);
        let credential_id =
            self.required("credentialId", fields.credential_id.as_ref(), |text| CredentialId::parse(unpadded(text)));
        let own_domain = |text: &str| RelyingPartyId::parse(text).ok().filter(|id| id == domain);
        let relying_party = self.required("relyingPartyId", fields.relying_party_id.as_ref(), own_domain);
        let user_name = self.required("name", fields.name.as_ref(), |text| Some(text.to_owned()));
        let name = self.required("displayName", fields.display_name.as_ref(), |text| Some(text.to_owned()));
        let algorithm = match fields.algorithm {
            None => self.blank("algorithm"),
            Some(number) => {
                Algorithm::of_number(number).or_else(|| self.invalid("algorithm", "is none of -7, -8 and -257"))
            }
        };
        let public_key = self.required("publicKey", fields.public_key.as_ref(), PublicKey::from_pem);
        let is_of_another = algorithm.zip(public_key.as_ref()).is_some_and(|(named, key)| key.algorithm() != named);
        let public_key = match is_of_another {
            true => self.invalid("publicKey", "is of another algorithm"),
            false => public_key,
        };
        algorithm?;
        Some(ForeignPasskey {
            id: match id {
                Some(id) => Some(id?),
                None => None,
            },
            account_id: account_id?,
            credential_id: credential_id?,
            relying_party: relying_party?,
            public_key: public_key?,
            // The contract has the limits.
            counter: u32::try_from(fields.sign_count.unwrap_or_default()).unwrap_or(u32::MAX),
            name: Some(name?),
            transports: Transports::new(fields.transports.iter().flatten().map(String::as_str)),
            user_verified: fields.authenticator_supports_user_verification.unwrap_or(false),
            description: Description {
                user_name: Some(user_name?),
                user_agent: body_value(fields.user_agent.as_ref()).map(str::to_owned),
                is_discoverable: fields.discoverable,
            },
            last_used_at: fields.last_use_instant.map(Timestamp::from_millis),
            created_at: fields.insert_instant.map(Timestamp::from_millis),
        })
    }

    /// A value that has to be there.
    fn required<T>(&mut self, name: &str, text: Option<&String>, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        match body_value(text) {
            None => self.blank(name),
            Some(text) => self.parsed(name, text, parse),
        }
    }

    fn parsed<T>(&mut self, name: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(text).or_else(|| self.invalid(name, "is not valid"))
    }

    fn blank<T>(&mut self, name: &str) -> Option<T> {
        blank(self.errors, &path(self.number, name));
        None
    }

    fn invalid<T>(&mut self, name: &str, what: &str) -> Option<T> {
        let field = path(self.number, name);
        self.errors.add(&field, "invalid", format!("The [{field}] property {what}."));
        None
    }
}
