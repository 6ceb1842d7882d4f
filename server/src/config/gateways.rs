//! The rules that tie the settings of the mail server, and those of the gateway for text messages, to one another.

use super::keys::Key;
use super::resolve::Resolver;
use super::sections::{Sms, Smtp};
use crate::net::sms::{SmsGateway, SmsProvider};
use crate::net::smtp::SmtpServer;

impl Resolver<'_> {
    pub(super) fn smtp(&mut self, Smtp { url, from, hello, tls, ca }: Smtp) -> Option<SmtpServer> {
        // Looks at the given values, because a refused one has become `None` and has its problem already.
        match (self.is_empty(Key::SmtpUrl), self.is_empty(Key::SmtpFrom)) {
            (true, false) => self.refuse(Key::SmtpFrom, "is of no use without `smtp.url`"),
            (false, true) => self.refuse(Key::SmtpUrl, "needs `smtp.from`, the sender of mails, beside it"),
            _ => {}
        }
        for key in [Key::SmtpHello, Key::SmtpTls, Key::SmtpCa] {
            if self.is_empty(Key::SmtpUrl) && !self.is_empty(key) {
                self.refuse(key, "is of no use without `smtp.url`");
            }
        }
        let (url, from) = (url?, from?);
        let url = match tls.map_or(Ok(url.clone()), |tls| url.encrypted(tls)) {
            Ok(url) => url,
            Err(problem) => {
                self.refuse(Key::SmtpTls, problem);
                return None;
            }
        };
        let ca = ca.and_then(|path| match std::fs::read(&path) {
            Ok(certificates) if String::from_utf8_lossy(&certificates).contains("BEGIN CERTIFICATE") => {
                Some(certificates)
            }
            Ok(_) => {
                self.refuse(Key::SmtpCa, &format!("there is no certificate (PEM) in {}", path.display()));
                None
            }
            Err(error) => {
                self.refuse(Key::SmtpCa, &format!("failed to read {}: {error}", path.display()));
                None
            }
        });
        let server = SmtpServer { url, from, hello, ca };
        if let Err(problem) = server.transport() {
            self.refuse(Key::SmtpCa, &problem.to_string());
        }
        Some(server)
    }

    pub(super) fn sms(&mut self, Sms { provider, url, secret, account, from, allow_http }: Sms) -> Option<SmsGateway> {
        if self.is_empty(Key::SmsUrl) {
            for key in [Key::SmsSecret, Key::SmsAccount, Key::SmsFrom] {
                if !self.is_empty(key) {
                    self.refuse(key, "is of no use without `sms.url`");
                }
            }
        }
        let url = url?;
        if url.is_readable() && !allow_http {
            self.refuse(Key::SmsUrl, "must be https:// beyond this machine, or `sms.allow_http` be on");
        }
        let needed = match provider {
            SmsProvider::Webhook => &[Key::SmsSecret][..],
            SmsProvider::Twilio => &[Key::SmsSecret, Key::SmsAccount, Key::SmsFrom],
        };
        for key in needed {
            if self.is_empty(*key) {
                self.refuse(*key, "is needed beside `sms.url`");
            }
        }
        let secret = secret?;
        match provider {
            SmsProvider::Webhook => match webhook_key(secret.expose()) {
                Ok(secret) => Some(SmsGateway::Webhook { url, secret }),
                Err(problem) => {
                    self.refuse(Key::SmsSecret, problem);
                    None
                }
            },
            SmsProvider::Twilio => {
                Some(SmsGateway::Twilio { url, account: account?, token: secret.expose().to_owned(), from: from? })
            }
        }
    }
}

/// The key of a webhook's signature: `whsec_` and base64, as Standard Webhooks has it, or text as it is.
fn webhook_key(text: &str) -> Result<Vec<u8>, &'static str> {
    const SHORTEST: usize = 24;
    let key = match text.strip_prefix("whsec_") {
        Some(encoded) => data_encoding::BASE64.decode(encoded.as_bytes()).map_err(|_| "is whsec_ without base64")?,
        None => text.as_bytes().to_vec(),
    };
    if key.len() < SHORTEST { Err("is shorter than 24 bytes, and could be guessed") } else { Ok(key) }
}
