//! Types of response bodies.

/// UUIDs, in lower case with hyphens.
pub(crate) const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Types with public fields, in camel case on the wire. `Debug` prints no values: many of them are secrets or personal data.
macro_rules! responses {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $type:ty,)* })*) => { $(
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $( $(#[$field_attribute])* pub $field: $type, )* }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}

pub(crate) use responses;
