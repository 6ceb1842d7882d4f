//! Mail as another program reads it: Python's parser, which takes no defect.

use crate::harness::MailServer;
use countersign::delivery::smtp::Smtp;
use countersign::delivery::templates::{Moment, Templates, Wording, sample_messages};
use countersign::net::smtp::{SmtpServer, SmtpUrl, parse_sender};
use countersign_domain::ids::MessageId;
use countersign_domain::time::Timestamp;
use std::path::Path;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn each_mail_is_read_back_without_a_defect() {
    let server = MailServer::start().await;
    let from = parse_sender("\"Zwölf, Ltd.\" <no-reply@почта.рф>").unwrap();
    let smtp =
        Smtp::new(SmtpServer { url: SmtpUrl::parse(&server.url()).unwrap(), from, hello: None, ca: None }).unwrap();
    let app_name = "Zwölf & <Söhne>".to_owned();
    let wording = Wording { app_name, domain: "id.example".to_owned(), language: "en".to_owned(), directory: None };
    let templates = Templates::load(wording).unwrap();
    let now = Timestamp::from_millis(1_772_366_400_000);
    let mut sent = 0;
    for message in sample_messages() {
        let id = countersign::random::system().draw(|random| MessageId::generate(now, random));
        let mail = templates.mail(&message, Moment { created_at: now, now }).unwrap();
        smtp.send(id, "ada@bücher.example", mail, now).await.unwrap();
        sent += 1;
    }
    let directory = tempfile::tempdir().unwrap();
    for (number, mail) in server.mails().iter().enumerate() {
        std::fs::write(directory.path().join(format!("{number}.eml")), &mail.raw).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/read.py");
    let output = Command::new("python3").arg(script).arg(directory.path()).output().expect("python3");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(told.trim(), format!("{sent} mails"));
}
