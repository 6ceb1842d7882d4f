//! Reading CBOR (RFC 8949) that a client sent.

use ciborium::Value;

/// How deep values may be nested: an attestation object has four levels.
const DEEPEST: usize = 8;

/// Reads one value, and returns what follows it.
pub(super) fn read(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEEPEST).ok()?;
    Some((value, rest))
}

/// Reads one value that nothing follows.
pub(super) fn read_whole(bytes: &[u8]) -> Option<Value> {
    read(bytes).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

/// Most entries of a map: statements of attestation have six at most.
const MOST_ENTRIES: usize = 32;

/// Entries of a map. Duplicate keys are refused, because parsers differ in which one they take.
pub(super) struct Map(Vec<(Value, Value)>);

impl Map {
    pub(super) fn new(value: Value) -> Option<Self> {
        let entries = value.into_map().ok().filter(|entries| entries.len() <= MOST_ENTRIES)?;
        let is_unique = |at: usize| entries[..at].iter().all(|(key, _)| *key != entries[at].0);
        (0..entries.len()).all(is_unique).then_some(Self(entries))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, key: impl Into<Value>) -> Option<&Value> {
        let key = key.into();
        self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub(super) fn integer(&self, key: impl Into<Value>) -> Option<i64> {
        self.get(key)?.as_integer().and_then(|number| i64::try_from(number).ok())
    }

    pub(super) fn bytes(&self, key: impl Into<Value>) -> Option<&[u8]> {
        self.get(key)?.as_bytes().map(Vec::as_slice)
    }

    pub(super) fn text(&self, key: impl Into<Value>) -> Option<&str> {
        self.get(key)?.as_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deep_or_goes_on_or_names_a_key_twice_is_not_read_58() {
        let nested = |levels: usize| [vec![0x81; levels], vec![0x00]].concat();
        assert!(read_whole(&nested(4)).is_some() && read_whole(&nested(100_000)).is_none());
        assert_eq!(read_whole(&[0x00, 0x00]), None);
        assert_eq!(read(&[0x00, 0x07]).map(|(_, rest)| rest), Some(&[0x07][..]));
        // An array that claims to have four billion values.
        assert_eq!(read_whole(&[0x9a, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(read_whole(&[0x5a, 0xff, 0xff, 0xff, 0xff]), None);
        let map = |bytes: &[u8]| read_whole(bytes).and_then(Map::new);
        let entries = |count: u8| (0..count).flat_map(|key| [0x18, key + 24, 0x00]).collect::<Vec<u8>>();
        let of_length = |count: u8| [vec![0xb8, count], entries(count)].concat();
        assert!(map(&of_length(32)).is_some() && map(&of_length(33)).is_none());
        assert!(map(&[0xa2, 0x01, 0x01, 0x02, 0x01]).is_some() && map(&[0xa2, 0x01, 0x01, 0x01, 0x02]).is_none());
    }
}
