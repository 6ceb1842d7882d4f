//! What others notice while passwords arrive ten times faster than they can be hashed.
//!
//! An open loop; the flood comes from another network than the others.

use crate::clock::Stopwatch;
use crate::latency::Latencies;
use crate::open_loop::{Answered, Clients, Tally, arrive, send_next};
use crate::request::{Sender, post};
use crate::source::Source;
use crate::users::PASSWORD;
use serde::Serialize;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;

/// Sign-ins that arrive, as a multiple of the hashes that the machine makes.
const OVERLOAD: f64 = 10.0;
/// Requests of others that arrive in a second.
const READS_PER_SECOND: f64 = 50.0;
const CODES_PER_SECOND: f64 = 10.0;
/// Networks of their own: a server may treat what comes from one network alike.
const FLOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const OTHERS: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 1);

/// What came of a flood.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Flood {
    /// Sign-ins that were due in a second.
    pub(crate) per_second: f64,
    /// Sign-ins whose password was looked at.
    pub(crate) judged: Answered,
    /// Sign-ins that were refused because too many wait.
    pub(crate) shed: Answered,
    /// Those of them that did not say when to try again.
    pub(crate) without_retry_after: usize,
    /// Other answers to sign-ins, or none.
    pub(crate) failed: usize,
    /// Reading a session, by others.
    pub(crate) get_session: Answered,
    /// Completing a challenge, by others.
    pub(crate) verify_totp: Answered,
    /// Requests of others that were not answered as they should be.
    pub(crate) others_failed: usize,
}

/// What came of the sign-ins.
#[derive(Default)]
struct SignIns {
    judged: RefCell<Latencies>,
    shed: RefCell<Latencies>,
    without_retry_after: Cell<usize>,
    failed: Cell<usize>,
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

/// Sends the sign-in of somebody who has no account: a hash is made for it as for any other.
fn of_stranger(
    number: u64,
    clients: &Rc<Clients>,
    sign_ins: &Rc<SignIns>,
    due: Stopwatch,
) -> impl Future<Output = ()> + use<> {
    let body = json!({"email": format!("stranger-{number}@example.com"), "password": PASSWORD});
    let request = post("sign-in/email", Sender::Nobody, &body);
    let (clients, sign_ins) = (Rc::clone(clients), Rc::clone(sign_ins));
    async move {
        match clients.send(&request).await {
            Ok(response) if response.status == 401 => sign_ins.judged.borrow_mut().add(due.elapsed()),
            Ok(response) if response.status == 503 => {
                sign_ins.shed.borrow_mut().add(due.elapsed());
                if !response.has_retry_after {
                    count(&sign_ins.without_retry_after);
                }
            }
            Ok(_) | Err(_) => count(&sign_ins.failed),
        }
    }
}

/// Floods a server on a machine that makes so many hashes a second with sign-ins of strangers, and sends what the sources hold
/// meanwhile.
pub(crate) async fn flood(
    address: SocketAddr,
    hashes_per_second: f64,
    mut get_session: Source,
    mut verify_totp: Source,
    duration: Duration,
) -> Flood {
    let (attackers, others) = (Clients::new([FLOOD], address), Clients::new([OTHERS], address));
    let (sign_ins, reads, codes) = (Rc::<SignIns>::default(), Rc::<Tally>::default(), Rc::<Tally>::default());
    let (per_second, mut strangers) = (hashes_per_second * OVERLOAD, 0);
    let flood = arrive(per_second, duration, |due| {
        strangers += 1;
        Some(of_stranger(strangers, &attackers, &sign_ins, due))
    });
    let reading = arrive(READS_PER_SECOND, duration, |due| send_next(&mut get_session, &others, &reads, due));
    let verifying = arrive(CODES_PER_SECOND, duration, |due| send_next(&mut verify_totp, &others, &codes, due));
    let tasks = LocalSet::new();
    tasks.run_until(async { futures::join!(flood, reading, verifying) }).await;
    // Until all are answered.
    tasks.await;
    Flood {
        per_second,
        judged: Answered::of(&sign_ins.judged),
        shed: Answered::of(&sign_ins.shed),
        without_retry_after: sign_ins.without_retry_after.get(),
        failed: sign_ins.failed.get(),
        get_session: reads.answered(),
        verify_totp: codes.answered(),
        others_failed: usize::try_from(reads.errors().count() + codes.errors().count()).unwrap_or(usize::MAX),
    }
}
