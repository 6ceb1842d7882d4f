//! Histories as `tests/ha` records them, and whether each thing's is linearizable.

use crate::registers::{Op, Register, Ret};
use serde::{Deserialize, Serialize};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(crate) struct History {
    pub(crate) operations: Vec<Operation>,
}

/// A request about one thing, by a client of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Operation {
    thing: String,
    model: String,
    op: Name,
    node: String,
    /// Seconds since the beginning, on one clock.
    invoked: f64,
    returned: f64,
    answer: Answer,
    /// The token that followed.
    value: Option<String>,
    status: Option<u16>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Present,
    Again,
    Read,
    End,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Accepted,
    Refused,
    /// No response, or 503: it may take effect at any time from its invocation on.
    Unknown,
    /// Refused for a reason that says nothing about the thing, such as a limit.
    Nothing,
}

impl Operation {
    fn op(&self) -> Op {
        match self.op {
            Name::Present => Op::Present,
            Name::Again => Op::PresentLate,
            Name::Read => Op::Read,
            Name::End => Op::End,
        }
    }

    /// What was answered, if it is known.
    fn ret(&self) -> Option<Ret> {
        match self.answer {
            Answer::Accepted => Some(Ret::Accepted(self.value.clone())),
            Answer::Refused => Some(Ret::Refused),
            Answer::Unknown | Answer::Nothing => None,
        }
    }
}

/// A thing whose history cannot have come about.
#[derive(Debug, Serialize)]
pub(crate) struct Violation {
    pub(crate) thing: String,
    pub(crate) why: &'static str,
    history: Vec<Operation>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) things: usize,
    pub(crate) operations: usize,
    /// Operations whose outcome nobody knows.
    pub(crate) unknown: usize,
    /// Things that were accepted for nobody and are used up all the same, by an operation whose outcome nobody knows.
    pub(crate) lost_answers: usize,
    pub(crate) violations: Vec<Violation>,
}

pub(crate) fn check(history: &History) -> Result<Report, String> {
    let mut things: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        things.entry(&operation.thing).or_default().push(operation);
    }
    let mut report = Report { things: things.len(), operations: history.operations.len(), ..Report::default() };
    for (thing, operations) in things {
        report.unknown += count(&operations, Answer::Unknown);
        if operations[0].model != "session"
            && count(&operations, Answer::Accepted) == 0
            && count(&operations, Answer::Refused) > 0
        {
            report.lost_answers += 1;
        }
        if !is_linearizable(&operations)? {
            report.violations.push(Violation {
                thing: thing.to_owned(),
                why: explain(&operations),
                history: operations.into_iter().cloned().collect(),
            });
        }
    }
    Ok(report)
}

fn count(operations: &[&Operation], answer: Answer) -> usize {
    operations.iter().filter(|operation| operation.answer == answer).count()
}

/// Whether the operations can have come one after the other, each at some moment between its invocation and its answer.
fn is_linearizable(operations: &[&Operation]) -> Result<bool, String> {
    let model = &operations[0].model;
    let register = Register::named(model).ok_or_else(|| format!("`{model}` is no model"))?;
    let mut tester = LinearizabilityTester::new(register);
    for (_, event, client, operation) in events(operations) {
        match event {
            Event::Invoked => tester.on_invoke(client, operation.op())?,
            Event::Returned(ret) => tester.on_return(client, ret)?,
        };
    }
    Ok(tester.is_consistent())
}

enum Event {
    Invoked,
    Returned(Ret),
}

/// What happened to a thing in the order of time. What comes at the same moment counts as concurrent.
fn events<'a>(operations: &[&'a Operation]) -> Vec<(f64, Event, usize, &'a Operation)> {
    let mut events = Vec::new();
    for (client, &operation) in operations.iter().enumerate() {
        if let Some(ret) = operation.ret() {
            events.push((operation.invoked, Event::Invoked, client, operation));
            events.push((operation.returned, Event::Returned(ret), client, operation));
        }
    }
    // Of operations that nobody answered only one can have taken the thing, and the first can do what each later one can.
    // More of them would only multiply the search.
    let unknown = operations.iter().enumerate().filter(|(_, operation)| operation.answer == Answer::Unknown);
    let first = unknown
        .filter(|(_, operation)| Register::may_change_by(operation.op()))
        .min_by(|(_, one), (_, other)| one.invoked.total_cmp(&other.invoked));
    if let Some((client, &operation)) = first {
        events.push((operation.invoked, Event::Invoked, client, operation));
    }
    let rank = |event: &Event| matches!(event, Event::Returned(_));
    events.sort_by(|one, other| one.0.total_cmp(&other.0).then(rank(&one.1).cmp(&rank(&other.1))));
    events
}

/// What is most likely wrong, for the person who reads the report.
fn explain(operations: &[&Operation]) -> &'static str {
    let accepted = count(operations, Answer::Accepted);
    match operations[0].model.as_str() {
        "session" => "it was read after it had ended, or ended by itself",
        _ if accepted > 1 => "it was accepted more than once",
        _ if accepted == 0 => "it was refused, and nobody used it",
        _ => "it was refused before anybody can have used it",
    }
}

#[cfg(test)]
mod tests;
