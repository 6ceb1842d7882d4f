//! What is sent, and its wording.

use std::fmt;
use std::time::Duration;

/// The way to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A mail.
    Email,
    /// A text message.
    Sms,
}

impl Channel {
    /// The name in the outbox.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// A code for somebody.
#[derive(Clone)]
pub struct Message {
    /// How it goes.
    pub channel: Channel,
    /// Where it goes.
    pub to: String,
    /// The code.
    pub code: String,
    /// Who sends it, in the recipient's eyes.
    pub app_name: String,
    /// How long the code works.
    pub lifetime: Duration,
}

impl fmt::Debug for Message {
    /// Neither the address nor the code belongs into a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Message").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Message {
    /// The subject. The code is not in it: phones show subjects on locked screens.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Your {} verification code", self.app_name)
    }

    /// The text of the mail.
    #[must_use]
    pub fn text(&self) -> String {
        let minutes = self.lifetime.as_secs().div_ceil(60);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        format!(
            "Your verification code for {app} is:\n\
             \n\
             {code}\n\
             \n\
             It works once, within the next {minutes} {unit}. Enter it only where you are signing in;\n\
             nobody from {app} will ever ask you for it.\n\
             \n\
             If you are not signing in, somebody else knows your password: change it.\n",
            app = self.app_name,
            code = self.code,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_reads_well() {
        let message = Message {
            channel: Channel::Email,
            to: "ada@example.com".to_owned(),
            code: "123456".to_owned(),
            app_name: "Two".to_owned(),
            lifetime: Duration::from_secs(180),
        };
        assert_eq!(message.subject(), "Your Two verification code");
        assert_eq!(
            message.text(),
            "Your verification code for Two is:\n\n123456\n\nIt works once, within the next 3 minutes. Enter it only \
             where you are signing in;\nnobody from Two will ever ask you for it.\n\nIf you are not signing in, \
             somebody else knows your password: change it.\n"
        );
        assert!(!format!("{message:?}").contains("123456") && !format!("{message:?}").contains("ada@"));
    }
}
