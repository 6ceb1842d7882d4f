//! Compares `x-sunset`, the announced removal date of operations, parameters, headers and properties.

use super::change::ChangeSide;
use super::comparison::Comparison;
use chrono::NaiveDate;
use countersign_contract_document::Node;

/// Reports a change of the date. `old` and `new` are the sides to report where there is no date.
pub(super) fn sunset(
    comparison: &mut Comparison<'_>,
    (before, after): (Option<Node<'_>>, Option<Node<'_>>),
    (old, new): (Option<ChangeSide>, Option<ChangeSide>),
) {
    if before.as_ref().map(|at| at.value) == after.as_ref().map(|at| at.value) {
        return;
    }
    let day = |at: &Option<Node<'_>>| at.as_ref().and_then(|at| date(at.value.as_str()?).map(str::to_owned));
    let (had, has) = (day(&before), day(&after));
    let today = comparison.options.today.as_deref();
    let is_past = has.as_ref().zip(today).is_some_and(|(day, today)| day.as_str() < today);
    let notice = has.as_ref().zip(today).and_then(|(day, today)| days_between(today, day));
    let is_too_soon = comparison.options.notice_days.zip(notice).is_some_and(|(least, days)| days < i64::from(least));
    let is_postponed = had.as_ref().zip(has.as_ref()).is_some_and(|(had, has)| had <= has);
    let (rule, message) = match (had, has) {
        (_, None) if after.is_some() => ("sunset-invalid", "x-sunset is not a date"),
        (_, None) => ("sunset-removed", "x-sunset was removed"),
        _ if is_too_soon && !is_postponed => ("sunset-too-soon", "x-sunset gives too little notice"),
        _ if is_past => ("sunset-in-the-past", "x-sunset is a date in the past"),
        (None, Some(_)) => ("sunset-added", "x-sunset was added"),
        (Some(before), Some(after)) if after < before => {
            ("sunset-moved-earlier", "x-sunset was moved to an earlier date")
        }
        (Some(before), Some(after)) if after == before => return,
        _ => ("sunset-moved-later", "x-sunset was postponed"),
    };
    let side =
        |at: &Option<Node<'_>>, holder: Option<ChangeSide>| at.as_ref().map_or(holder, ChangeSide::with_node_value);
    comparison.report(rule, message, side(&before, old), side(&after, new));
}

/// The `x-sunset` date, unless it has passed.
pub(super) fn promised_day<'d>(at: &Node<'d>, today: Option<&str>) -> Option<&'d str> {
    let day = at.text("x-sunset").and_then(date)?;
    today.is_none_or(|today| day > today).then_some(day)
}

/// The date at the beginning of a text, in the format that can be compared as text.
fn date(text: &str) -> Option<&str> {
    let day = text.get(..10)?;
    let shape: String = day.chars().map(|found| if found.is_ascii_digit() { '0' } else { found }).collect();
    (shape == "0000-00-00").then_some(day)
}

/// The number of days from one day to another, both as `2027-01-31`; `None` if one is not in the calendar.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let date = |text: &str| text.parse::<NaiveDate>().ok();
    Some((date(to)? - date(from)?).num_days())
}
