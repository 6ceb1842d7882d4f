//! Which keys nodes hold, and what depends on a key.

use countersign_domain::ids::{MessageId, MethodId};
use countersign_domain::keyring::Sealed;
use countersign_domain::stored_secret::SecretFingerprint;
use countersign_domain::time::Timestamp;

/// A key of a node's ring at a time.
#[derive(Clone, Debug)]
pub struct NoteKey {
    pub key_id: String,
    pub is_active: bool,
    pub now: Timestamp,
}

/// Whether rows were found that are sealed with a key.
#[derive(Clone, Debug)]
pub struct NoteResealed {
    pub key_id: String,
    pub resealed_at: Option<Timestamp>,
}

/// Tables whose rows are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedTable {
    /// TOTP secrets of authenticator apps.
    Methods,
    /// Messages that wait to be delivered.
    Messages,
    /// Blocks of the audit trail, which are not sealed but have a MAC.
    AuditBlocks,
}

/// Some rows that are sealed with a key, in the order of their ids.
#[derive(Clone, Debug)]
pub struct FindSealed {
    pub key_id: String,
    /// The last id of the page before, of blocks the number; empty for the first.
    pub after: String,
    pub limit: u32,
}

/// A TOTP secret that was sealed anew.
#[derive(Clone, Debug)]
pub struct ResealedSecret {
    pub method_id: MethodId,
    /// The sealed bytes that were opened. If the row has others by now, it stays as it is.
    pub before: Vec<u8>,
    pub sealed: Sealed,
    /// `None` if the row has none.
    pub fingerprint: Option<SecretFingerprint>,
}

/// A message that was sealed anew.
#[derive(Clone, Debug)]
pub struct ResealedMessage {
    pub id: MessageId,
    /// As in [`ResealedSecret`].
    pub before: Vec<u8>,
    pub sealed: Sealed,
}

/// Tables whose rows refer to a token or cookie that a client holds, signed with the key that was active when it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedTable {
    Sessions,
    Challenges,
    OneTimeCodes,
    TrustedDevices,
    Tickets,
}

impl SignedTable {
    pub const ALL: [Self; 5] =
        [Self::Sessions, Self::Challenges, Self::OneTimeCodes, Self::TrustedDevices, Self::Tickets];
}

/// A page of a table, in the order of its primary key.
#[derive(Clone, Debug)]
pub struct ScanSigned {
    pub table: SignedTable,
    /// The place where the page before ended.
    pub after: Place,
    pub limit: u32,
    /// Only rows that were made until then.
    pub made_until: Timestamp,
    /// Only rows that are alive then.
    pub now: Timestamp,
}

/// A primary key, as text or as bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub text: String,
    pub bytes: Vec<u8>,
}

/// What a page of a table has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedPage {
    pub rows: u64,
    /// When the last of these rows ends.
    pub last_end: Option<Timestamp>,
    /// Where the page ends; `None` if it is the last.
    pub next: Option<Place>,
}

/// A page of backup codes, in the order of their ids.
#[derive(Clone, Debug)]
pub struct FindTagged {
    /// The last id of the page before; empty for the first.
    pub after: String,
    pub limit: u32,
    /// Only codes that were made until then.
    pub made_until: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggedPage {
    /// How many of these codes are found by a tag.
    pub tagged: usize,
    /// The last id; `None` if there are no more codes.
    pub last: Option<String>,
}

/// The codes of a page whose tags are taken away.
#[derive(Clone, Debug)]
pub struct RemoveTags {
    /// The last id of the page before.
    pub after: String,
    pub last: String,
    pub made_until: Timestamp,
}
