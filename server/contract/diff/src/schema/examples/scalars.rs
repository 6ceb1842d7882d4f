//! Texts and numbers at the limits of schemas.

use super::super::enums::closed_list;
use super::super::view::View;
use countersign_contract_validate::{formats, pattern};
use serde_json::{Number, Value};

/// Longest text that is tried.
const LONGEST: usize = 20_000;

/// Texts that are tried for every schema.
const ANY: [&str; 8] = ["", "a", "b", "0", "A", "-", " ", "\n"];

/// Number of values of a keyword, and of the numbers next to them, that are tried.
const MOST_LIMITS: usize = 30;

/// Numbers under some keywords of schemas.
pub(super) fn limits<'v, 'd: 'v>(views: impl IntoIterator<Item = &'v View<'d>>, keys: &[&str]) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::new();
    for view in views {
        out.extend(
            keys.iter().flat_map(|key| view.keywords(key).filter_map(|at| at.value.as_f64()).collect::<Vec<_>>()),
        );
    }
    out.truncate(MOST_LIMITS);
    out
}

/// Counts at limits and next to them, in ascending order.
pub(super) fn counts<'d>(view: &View<'d>, rivals: &[View<'d>], keys: [&str; 2], most: usize) -> Vec<usize> {
    let near =
        limits(rivals.iter().chain([view]), &keys).into_iter().flat_map(|limit| [limit - 1.0, limit, limit + 1.0]);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float that is no count becomes the nearest"
    )]
    let mut out: Vec<usize> =
        near.chain([0.0, 1.0, 2.0]).map(|count| count as usize).filter(|count| *count <= most).collect();
    let least = limits([view], &keys[..1]).into_iter().fold(0.0, f64::max);
    let greatest = limits([view], &keys[1..]).into_iter().fold(f64::INFINITY, f64::min);
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    out.retain(|count| least <= *count as f64 && *count as f64 <= greatest);
    out.sort_unstable();
    out.dedup();
    out
}

/// Texts for a schema.
pub(super) fn texts<'d>(view: &View<'d>, rivals: &[View<'d>]) -> Vec<String> {
    let texts = |views: &[&View<'d>], key: &str| -> Vec<&'d str> {
        views
            .iter()
            .flat_map(|view| view.keywords(key).filter_map(|at| at.value.as_str()).collect::<Vec<_>>())
            .collect()
    };
    let all: Vec<&View<'d>> = std::iter::once(view).chain(rivals).collect();
    let lengths = counts(view, rivals, ["minLength", "maxLength"], LONGEST);
    let (own, patterns) = (texts(&all[..1], "pattern"), texts(&all, "pattern"));
    let formats: Vec<&str> = texts(&all, "format").into_iter().flat_map(formats::examples).copied().collect();
    let mut out: Vec<String> = Vec::new();
    if own.is_empty() {
        let has_format = view.keyword("format").is_some();
        let plain = lengths.iter().map(|length| "a".repeat(*length)).chain(ANY.map(str::to_owned));
        let formats = formats.into_iter().map(str::to_owned);
        match has_format {
            true => out.extend(formats.chain(plain)),
            false => out.extend(plain.chain(formats)),
        }
    }
    for pattern in patterns {
        out.extend(lengths.iter().filter_map(|length| pattern::matching_of_length(pattern, *length)));
    }
    out
}

/// Numbers for a schema.
pub(super) fn numbers<'d>(view: &View<'d>, rivals: &[View<'d>], only_integers: bool) -> Vec<Value> {
    let all = || rivals.iter().chain([view]);
    let steps = limits(all(), &["multipleOf"]);
    let listed = rivals.iter().filter_map(closed_list).flatten().filter_map(Value::as_f64).take(MOST_LIMITS);
    let of_formats = all().flat_map(|view| {
        view.keywords("format").filter_map(|at| formats::range(at.value.as_str()?)).collect::<Vec<_>>()
    });
    let of_formats = of_formats.flat_map(|(least, most)| [least, most]);
    let bounds = limits(all(), &["minimum", "maximum"]).into_iter().chain(listed).chain(of_formats).chain([0.0]);
    let near = bounds.flat_map(|bound| {
        // The multiples next to a limit.
        let multiples = steps.iter().filter(|step| **step > 0.0).flat_map(move |step| {
            let first = (bound / step).floor() * step;
            [first, first + step, first - step, first + 2.0 * step, first + step / 2.0]
        });
        [bound, bound + 1.0, bound - 1.0, bound + 0.5, bound - 0.5].into_iter().chain(multiples)
    });
    let mut out: Vec<f64> = near.filter(|number| !only_integers || number.fract() == 0.0).collect();
    let distance = |number: f64| {
        let below = limits([view], &["minimum"]).into_iter().any(|least| number < least);
        let above = limits([view], &["maximum"]).into_iter().any(|most| number > most);
        let between = limits([view], &["multipleOf"]).into_iter().any(|step| (number / step).fract() != 0.0);
        below || above || between
    };
    // Numbers that the schema accepts come first.
    out.sort_by_key(|number| distance(*number));
    out.into_iter().filter_map(number).collect()
}

/// A number without a fraction is written without a decimal point.
fn number(number: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the number is an integer that is small enough")]
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Some((number as i64).into());
    }
    Number::from_f64(number).map(Value::Number)
}
