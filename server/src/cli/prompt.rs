//! Questions to the operator: passwords, which are not shown, and whether to go on.

use super::database::DatabaseCommandError as Error;
use crate::config::secret::SecretText;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use zeroize::Zeroizing;

/// More than any password, and little enough to be read.
const LONGEST_LINE: u64 = 64 * 1024;

/// Exit status of a program that SIGINT has ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Whether a change that cannot be taken back is to be made.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Confirmation {
    /// Do not ask. Needed where standard input is no terminal.
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Refuses a change that nobody can confirm, before anything is looked up.
    ///
    /// # Errors
    /// When it was not confirmed, and there is no terminal.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.yes || io::stdin().is_terminal() {
            true => Ok(()),
            false => {
                Err(Error::Usage("nothing was changed: there is no terminal to ask on; --yes confirms".to_owned()))
            }
        }
    }

    /// Asks, unless it was confirmed already. `question` says what will happen.
    ///
    /// # Errors
    /// When the operator declines, or the terminal cannot be used.
    pub(super) fn ask(&self, question: &str) -> Result<(), Error> {
        self.check()?;
        if self.yes {
            return Ok(());
        }
        show(&format!("{} [y/N] ", crate::terminal::printable(question)))?;
        let answer = read_line()?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Error::Declined),
        }
    }
}

/// A new password: the first line of standard input; from a terminal without echo, and twice.
///
/// # Errors
/// When there is none, the two differ, or standard input cannot be read.
pub(super) fn new_password() -> Result<SecretText, Error> {
    let mut password = match io::stdin().is_terminal() {
        false => read_line()?,
        true => {
            let password = hidden_line("New password: ")?;
            if !password.is_empty() && password != hidden_line("The same again: ")? {
                return Err(Error::Usage("nothing was changed: the passwords differ".to_owned()));
            }
            password
        }
    };
    match password.is_empty() {
        true => Err(Error::Usage("nothing was changed: there is no password on standard input".to_owned())),
        false => Ok(SecretText::new(std::mem::take(&mut *password))),
    }
}

fn show(text: &str) -> Result<(), Error> {
    let mut stderr = io::stderr();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).map_err(Error::Terminal)
}

/// A line of standard input, without its end. It may be a password, so it is wiped when it is dropped.
fn read_line() -> Result<Zeroizing<String>, Error> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().take(LONGEST_LINE).read_line(&mut line).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Error::Usage("nothing was changed: standard input is not UTF-8".to_owned()),
        _ => Error::Input(error),
    })?;
    for end in ['\n', '\r'] {
        if line.ends_with(end) {
            line.pop();
        }
    }
    Ok(line)
}

/// A line from the terminal, which shows none of it meanwhile. What was typed before the prompt is dropped.
fn hidden_line(prompt: &str) -> Result<Zeroizing<String>, Error> {
    let stdin = io::stdin();
    let set = |when, modes: &Termios| tcsetattr(&stdin, when, modes).map_err(|error| Error::Terminal(error.into()));
    let before = tcgetattr(&stdin).map_err(|error| Error::Terminal(error.into()))?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    set(OptionalActions::Flush, &hidden)?;
    // Ctrl-C ends the program; the terminal shows again what is typed then.
    let restored = before.clone();
    let interrupted = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &restored);
            std::process::exit(INTERRUPTED);
        }
    });
    let line = show(prompt).and_then(|()| read_line());
    interrupted.abort();
    set(OptionalActions::Now, &before)?;
    line
}
