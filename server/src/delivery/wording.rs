//! Subject and text of a mail.

use super::Message;

/// Leaves the code out, because phones show subjects on locked screens.
pub(super) fn subject(message: &Message) -> String {
    format!("Your {} verification code", message.app_name)
}

pub(super) fn text(message: &Message) -> String {
    let minutes = message.lifetime.as_secs().div_ceil(60);
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
        app = message.app_name,
        code = message.code,
    )
}

#[cfg(test)]
mod tests {
    use super::super::Channel;
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_mail_reads_well() {
        let message = Message {
            channel: Channel::Email,
            to: "ada@example.com".to_owned(),
            code: "123456".to_owned(),
            app_name: "Two".to_owned(),
            lifetime: Duration::from_secs(180),
        };
        assert_eq!(subject(&message), "Your Two verification code");
        assert_eq!(
            text(&message),
            "Your verification code for Two is:\n\n123456\n\nIt works once, within the next 3 minutes. Enter it only \
             where you are signing in;\nnobody from Two will ever ask you for it.\n\nIf you are not signing in, \
             somebody else knows your password: change it.\n"
        );
        assert!(!format!("{message:?}").contains("123456") && !format!("{message:?}").contains("ada@"));
    }
}
