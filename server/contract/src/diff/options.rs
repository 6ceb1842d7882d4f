//! Options of a comparison.

/// Options of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Today as `2027-01-31`, to compare `x-sunset` dates with. Without it, they count as future dates.
    pub today: Option<String>,
}
