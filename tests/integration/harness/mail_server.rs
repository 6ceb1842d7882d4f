//! A mail server that can be killed, hung and made to refuse.

use mail_parser::MessageParser;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A mail that a server has taken.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    /// Without the angle brackets.
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) raw: Vec<u8>,
}

impl Mail {
    fn new(to: String, raw: Vec<u8>) -> Self {
        let mail = MessageParser::default().parse(&raw).expect("a mail");
        let id = mail.message_id().expect("a Message-ID").to_owned();
        let subject = mail.subject().unwrap_or_default().to_owned();
        let text = mail.body_text(0).unwrap_or_default().into_owned();
        Self { to, id, subject, text, raw }
    }

    /// The six digits on a line of their own.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        self.text.lines().find(is_code).unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }
}

/// What a server does with a mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    Takes,
    /// Responds to `RCPT` with this line.
    Refuses(&'static str),
    /// Takes connections and never responds.
    Hangs,
}

struct State {
    mails: Mutex<Vec<Mail>>,
    manner: Mutex<Manner>,
}

/// A mail server on a port of its own. It is killed when this is dropped.
pub(crate) struct MailServer {
    address: SocketAddr,
    state: Arc<State>,
    task: Option<JoinHandle<()>>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { mails: Mutex::default(), manner: Mutex::new(Manner::Takes) });
        let task = Some(tokio::spawn(serve(listener, Arc::clone(&state))));
        Self { address, state, task }
    }

    /// Its address, as the settings want it.
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Ends it at once, with all its connections.
    pub(crate) fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Starts it again on its port.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                // The old listener is closed a moment after it was told to.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        self.task = Some(tokio::spawn(serve(listener, Arc::clone(&self.state))));
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        *self.state.manner.lock().unwrap() = manner;
    }

    /// What it has taken, the oldest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    pub(crate) fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.mails().into_iter().filter(|mail| mail.to == address).collect()
    }

    /// Waits until it has taken so many mails for an address.
    pub(crate) async fn has_taken(&self, count: usize, address: &str) -> Vec<Mail> {
        for _ in 0..200 {
            let mails = self.mails_to(address);
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} of {count} mails to {address}: {:#?}", self.mails_to(address).len(), self.mails());
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.spawn(talk(stream, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

/// Speaks just enough of RFC 5321. A mail is taken before that is said.
async fn talk(stream: TcpStream, state: Arc<State>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    if matches!(*state.manner.lock().unwrap(), Manner::Hangs) {
        std::future::pending::<()>().await;
    }
    write.write_all(b"220 test ESMTP\r\n").await.ok()?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let manner = *state.manner.lock().unwrap();
        let reply = match (line.split([' ', ':', '\r']).next().unwrap_or_default(), manner) {
            ("EHLO", _) => "250-test\r\n250 8BITMIME",
            ("RCPT", Manner::Refuses(refusal)) => refusal,
            ("RCPT", _) => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 fine"
            }
            ("DATA", _) => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let raw = read_mail(&mut lines).await?;
                state.mails.lock().unwrap().push(Mail::new(to.clone(), raw));
                "250 queued"
            }
            ("QUIT", _) => "221 bye",
            _ => "250 fine",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
}

async fn read_mail(lines: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        match line.as_slice() {
            b".\r\n" => return Some(raw),
            // RFC 5321, 4.5.2
            [b'.', rest @ ..] => raw.extend(rest),
            line => raw.extend(line),
        }
    }
}
