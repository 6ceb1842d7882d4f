use super::{History, check};
use serde_json::{Value, json};

/// A history of one thing: what was asked, when, when it was answered, and what.
fn history(model: &str, operations: &[(&str, f64, f64, &str)]) -> History {
    let operations: Vec<Value> = operations
        .iter()
        .map(|&(op, invoked, returned, answer)| {
            let (answer, value) =
                answer.split_once(' ').map_or((answer, None), |(answer, value)| (answer, Some(value)));
            json!({
                "thing": "thing", "model": model, "op": op, "node": "node1", "invoked": invoked, "returned": returned,
                "answer": answer, "value": value, "status": null,
            })
        })
        .collect();
    serde_json::from_value(json!({"operations": operations})).unwrap()
}

#[track_caller]
fn right(model: &str, operations: &[(&str, f64, f64, &str)]) {
    let report = check(&history(model, operations)).unwrap();
    assert!(report.violations.is_empty(), "{:?}", report.violations);
}

#[track_caller]
fn wrong(model: &str, operations: &[(&str, f64, f64, &str)], why: &str) {
    let report = check(&history(model, operations)).unwrap();
    assert_eq!(report.violations.iter().map(|violation| violation.why).collect::<Vec<_>>(), [why]);
}

const TWICE: &str = "it was accepted more than once";
const UNUSED: &str = "it was refused, and nobody used it";
const BEFORE: &str = "it was refused before anybody can have used it";
const SESSION: &str = "it was read after it had ended, or ended by itself";

#[test]
fn one_of_several_at_once_is_accepted() {
    right(
        "once",
        &[("present", 0.0, 1.0, "accepted"), ("present", 0.1, 0.9, "refused"), ("again", 2.0, 3.0, "refused")],
    );
    // The one that was refused came later, although it was asked first.
    right("once", &[("present", 0.0, 2.0, "refused"), ("present", 1.0, 1.5, "accepted")]);
}

#[test]
fn a_claim_without_its_guard_is_found() {
    wrong("once", &[("present", 0.0, 1.0, "accepted"), ("present", 0.1, 1.1, "accepted")], TWICE);
    let one_after_the_other = [("present", 0.0, 1.0, "accepted"), ("again", 5.0, 6.0, "accepted")];
    wrong("once", &one_after_the_other, TWICE);
}

#[test]
fn an_acknowledgement_before_the_commit_is_found() {
    // The claim was acknowledged and rolled back, so the thing is free for the next.
    let history = [
        ("present", 0.0, 1.0, "accepted"),
        ("present", 0.5, 9.0, "unknown"),
        ("present", 20.0, 21.0, "accepted"),
        ("again", 30.0, 31.0, "refused"),
    ];
    wrong("once", &history, TWICE);
    let history = [("read", 0.0, 1.0, "accepted"), ("end", 2.0, 3.0, "accepted"), ("read", 4.0, 5.0, "accepted")];
    wrong("session", &history, SESSION);
}

#[test]
fn a_cache_that_outlives_a_failover_is_found() {
    // The node remembers a use that the new leader knows nothing of.
    wrong("once", &[("present", 0.0, 1.0, "refused"), ("again", 2.0, 3.0, "refused")], UNUSED);
    // The node remembers a session that another node has ended.
    let history = [
        ("read", 0.0, 1.0, "accepted"),
        ("end", 2.0, 9.0, "unknown"),
        ("read", 20.0, 21.0, "refused"),
        ("read", 22.0, 23.0, "accepted"),
    ];
    wrong("session", &history, SESSION);
}

#[test]
fn nobody_is_refused_before_somebody_used_it() {
    wrong("once", &[("present", 0.0, 1.0, "refused"), ("present", 2.0, 3.0, "accepted")], BEFORE);
    wrong("once", &[("present", 0.0, 1.0, "refused"), ("present", 2.0, 3.0, "unknown")], UNUSED);
}

#[test]
fn an_unknown_outcome_is_a_use_or_none() {
    right("once", &[("present", 0.0, 9.0, "unknown"), ("present", 10.0, 11.0, "refused")]);
    right("once", &[("present", 0.0, 9.0, "unknown"), ("present", 10.0, 11.0, "accepted")]);
    // It may take effect long after its client has gone.
    right(
        "once",
        &[("present", 0.0, 1.0, "unknown"), ("present", 2.0, 3.0, "accepted"), ("again", 4.0, 5.0, "refused")],
    );
    let used_for_nobody =
        check(&history("once", &[("present", 0.0, 9.0, "unknown"), ("again", 10.0, 11.0, "refused")]));
    assert_eq!(used_for_nobody.unwrap().lost_answers, 1);
}

#[test]
fn many_unknown_outcomes_are_checked_in_no_time() {
    let mut operations = vec![("present", 0.0, 1.0, "unknown"); 60];
    operations.push(("present", 10.0, 11.0, "accepted"));
    operations.extend([("again", 12.0, 13.0, "refused"); 6]);
    right("once", &operations);
    operations.push(("again", 14.0, 15.0, "accepted"));
    wrong("once", &operations, TWICE);
}

#[test]
fn an_answer_that_says_nothing_is_left_out() {
    right("once", &[("present", 0.0, 1.0, "nothing"), ("present", 2.0, 3.0, "accepted")]);
}

#[test]
fn a_refresh_token_gives_all_who_present_it_at_once_the_same_next_one() {
    let same =
        [("present", 0.0, 1.0, "accepted b"), ("present", 0.5, 2.0, "accepted b"), ("again", 20.0, 21.0, "refused")];
    right("refresh", &same);
    wrong("refresh", &[("present", 0.0, 1.0, "accepted b"), ("present", 0.5, 2.0, "accepted c")], TWICE);
    wrong("refresh", &[("present", 0.0, 1.0, "accepted b"), ("again", 20.0, 21.0, "accepted b")], TWICE);
    wrong("refresh", &[("present", 0.0, 1.0, "refused"), ("present", 2.0, 3.0, "accepted b")], BEFORE);
    // Once it has come back late, all tokens of its login have ended.
    let ended =
        [("present", 0.0, 1.0, "accepted b"), ("again", 20.0, 21.0, "refused"), ("again", 22.0, 23.0, "accepted b")];
    wrong("refresh", &ended, TWICE);
}

#[test]
fn a_refresh_token_that_was_taken_without_an_answer_shows_its_next_one_later() {
    let history =
        [("present", 0.0, 9.0, "unknown"), ("again", 12.0, 13.0, "accepted b"), ("again", 30.0, 31.0, "refused")];
    right("refresh", &history);
    wrong("refresh", &[("present", 0.0, 9.0, "unknown"), ("present", 12.0, 13.0, "accepted")], BEFORE);
}

#[test]
fn a_session_is_read_until_it_ends() {
    let history = [
        ("read", 0.0, 1.0, "accepted"),
        ("end", 2.0, 4.0, "accepted"),
        ("read", 2.5, 3.0, "refused"),
        ("read", 2.5, 3.5, "accepted"),
        ("end", 5.0, 6.0, "accepted"),
        ("read", 7.0, 8.0, "refused"),
    ];
    right("session", &history);
    wrong("session", &[("read", 0.0, 1.0, "refused"), ("end", 2.0, 3.0, "accepted")], SESSION);
}

#[test]
fn a_model_that_is_not_known_is_an_error() {
    assert!(check(&history("twice", &[("present", 0.0, 1.0, "accepted")])).is_err());
}
