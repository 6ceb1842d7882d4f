//! The words of messages: templates, with a set of files for each language.
//!
//! | file | holds |
//! |---|---|
//! | `KIND.txt` | `Subject: …`, an empty line, the text of the mail; paragraphs are separated by empty lines |
//! | `KIND.sms` | the text message, for kinds that carry a code |
//! | `layout.html` | the HTML of all mails: it gets the paragraphs of the text |
//!
//! A file in the operator's directory for a language takes the place of the built-in one, which is English; so what a language lacks is
//! in English, also what a later version adds. Each template is rendered once with sample values before the server
//! starts, so that a mistake shows then.

use chrono::{DateTime, Utc};
use countersign_domain::language::{Language, Languages};
use countersign_domain::message::{CodePurpose, Link, LinkPurpose, Message, Notice};
use countersign_domain::one_time_code::OneTimeCode;
use countersign_domain::time::Timestamp;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The language of the built-in templates.
pub const BUILT_IN_LANGUAGE: &str = "en";

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("templates/en/", $name)))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "account-deletion-link.txt",
    "account-locked.txt",
    "account-suspended.txt",
    "account-unlocked.txt",
    "address-change-link.txt",
    "address-change-undo-link.txt",
    "address-changed.txt",
    "address-verification-link.txt",
    "device-trusted.txt",
    "enrolment-code.sms",
    "enrolment-code.txt",
    "factor-added.txt",
    "factor-removed.txt",
    "layout.html",
    "passkey-misused.txt",
    "password-changed.txt",
    "password-reset-link.txt",
    "recovery-code-used.txt",
    "recovery-codes-replaced.txt",
    "refresh-token-reused.txt",
    "removal-code.sms",
    "removal-code.txt",
    "secret-shown.txt",
    "sign-in-after-long-absence.txt",
    "sign-in-code.sms",
    "sign-in-code.txt",
    "sign-in-link.txt",
    "step-up-code.sms",
    "step-up-code.txt",
    "two-factor-disabled.txt",
];

const LAYOUT: &str = "layout.html";

/// Why the templates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("failed to read the templates in {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} is no template: there are {known}", path.display())]
    Unknown { path: PathBuf, known: String },
    #[error("{} is not named like a language, such as en or pt-BR", path.display())]
    UnknownLanguage { path: PathBuf },
    #[error("there are no templates in the language `{language}`: put them into <messages.templates>/{language}")]
    NoLanguage { language: String },
    #[error("failed to render the template {name}")]
    Render {
        name: String,
        #[source]
        source: minijinja::Error,
    },
    #[error("the template {name} does not begin with a line `Subject: …` and an empty line")]
    NoSubject { name: String },
    #[error("the template {name} does not show the placeholder {placeholder}")]
    Missing { name: String, placeholder: &'static str },
}

/// Where the words come from.
#[derive(Clone, Debug)]
pub struct Wording {
    /// Name of the service.
    pub app_name: String,
    /// Host that browsers fill codes of text messages in for.
    pub domain: String,
    pub language: String,
    /// Holds a directory for each language.
    pub directory: Option<PathBuf>,
}

/// A mail without its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What is said about a message besides its own values.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When the message was stored.
    pub created_at: Timestamp,
    pub now: Timestamp,
}

/// The templates of all languages: each that the operator's directory has, and the default.
#[derive(Debug)]
pub struct Catalogue {
    /// By names in lower case.
    languages: BTreeMap<String, Templates>,
    default: Templates,
}

impl Catalogue {
    /// Reads the templates of every language. `needed` are those that tenants choose.
    ///
    /// # Errors
    /// As [`Templates::load`], and when there is none in a language that is needed.
    pub fn load<'a>(wording: Wording, needed: impl IntoIterator<Item = &'a Language>) -> Result<Self, TemplateError> {
        let mut languages = BTreeMap::new();
        for (language, name) in directory_languages(wording.directory.as_deref())? {
            let templates = Templates::load(Wording { language: name, ..wording.clone() })?;
            languages.insert(language.as_str().to_owned(), templates);
        }
        let of_server = wording.language.to_ascii_lowercase();
        let missing = needed.into_iter().map(Language::as_str);
        let missing = missing.filter(|language| *language != of_server && !languages.contains_key(*language));
        if let Some(language) = missing.map(str::to_owned).next() {
            return Err(TemplateError::NoLanguage { language });
        }
        Ok(Self { languages, default: Templates::load(wording)? })
    }

    /// The templates in the first of these languages that there is, else those of the server's.
    #[must_use]
    pub fn in_one_of(&self, languages: &Languages) -> &Templates {
        let of_server = self.default.wording.language.to_ascii_lowercase();
        let find = |name: &str| self.languages.get(name).or_else(|| (name == of_server).then_some(&self.default));
        languages.choose(find).unwrap_or(&self.default)
    }
}

/// The languages that a directory has, each with the name of its own directory.
fn directory_languages(directory: Option<&Path>) -> Result<Vec<(Language, String)>, TemplateError> {
    let Some(path) = directory else { return Ok(Vec::new()) };
    let failed = |source| TemplateError::Read { path: path.to_owned(), source };
    let mut languages = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !path.is_dir() || name.starts_with('.') {
            continue;
        }
        match Language::parse(&name) {
            Some(language) => languages.push((language, name)),
            None => return Err(TemplateError::UnknownLanguage { path }),
        }
    }
    Ok(languages)
}

/// The templates of one language.
pub struct Templates {
    environment: Environment<'static>,
    wording: Wording,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Templates").field(&self.wording).finish()
    }
}

impl Templates {
    /// Reads the templates and renders each of them once.
    ///
    /// # Errors
    /// When one cannot be read, uses a value that its message does not have, or leaves out the one that it is for.
    pub fn load(wording: Wording) -> Result<Self, TemplateError> {
        let mut sources: BTreeMap<String, String> =
            BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let own = wording.directory.as_ref().map(|directory| directory.join(&wording.language));
        match own.filter(|own| own.is_dir()) {
            Some(own) => read_directory(&own, &mut sources)?,
            None if wording.language == BUILT_IN_LANGUAGE => {}
            None => return Err(TemplateError::NoLanguage { language: wording.language }),
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in sources {
            let added = environment.add_template_owned(name.clone(), text);
            added.map_err(|source| TemplateError::Render { name, source })?;
        }
        let templates = Self { environment, wording };
        templates.check()?;
        Ok(templates)
    }

    fn check(&self) -> Result<(), TemplateError> {
        let moment = Moment { created_at: Timestamp::from_millis(0), now: Timestamp::from_millis(0) };
        for (message, placeholder, value) in samples() {
            let missing = |name: String| TemplateError::Missing { name, placeholder };
            let name = message.kind().name();
            let mail = self.mail(&message, moment)?;
            if !mail.text.contains(value) {
                return Err(missing(format!("{name}.txt")));
            }
            if !mail.html.replace("&#x2f;", "/").contains(value) {
                return Err(missing(LAYOUT.to_owned()));
            }
            let sms = format!("{name}.sms");
            let carries_code = matches!(message, Message::Code { .. });
            if carries_code && !self.render(&sms, &self.values(&message, moment))?.contains(value) {
                return Err(missing(sms));
            }
        }
        Ok(())
    }

    fn render(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(values));
        rendered.map_err(|source| TemplateError::Render { name: name.to_owned(), source })
    }

    /// Values of a message's own, besides `app` and `time`.
    fn values(&self, message: &Message, moment: Moment) -> Value {
        let (app, time) = (&self.wording.app_name, utc_minute(moment.created_at));
        match message {
            Message::Code { code, valid_for, .. } => {
                let left = moment.now.until(moment.created_at + *valid_for);
                let minutes = left.as_secs().div_ceil(60).max(1);
                context! { app, time, minutes, code => code.expose() }
            }
            Message::Link { link, valid_for, .. } => {
                let expires = utc_minute(moment.created_at + *valid_for);
                context! { app, time, expires, link => link.expose() }
            }
            Message::Notice(Notice::RecoveryCodeUsed { left }) => context! { app, time, left },
            Message::Notice(_) => context! { app, time },
        }
    }

    /// The mail that carries a message.
    ///
    /// # Errors
    /// None for templates that were loaded.
    pub fn mail(&self, message: &Message, moment: Moment) -> Result<Mail, TemplateError> {
        let name = format!("{}.txt", message.kind().name());
        let rendered = self.render(&name, &self.values(message, moment))?;
        let parts = rendered.strip_prefix("Subject:").and_then(|rest| rest.split_once("\n\n"));
        let (subject, text) = parts.ok_or(TemplateError::NoSubject { name })?;
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = format!("{}\n", text.trim());
        let html = self.html(&subject, &text, message)?;
        Ok(Mail { subject, text, html })
    }

    fn html(&self, subject: &str, text: &str, message: &Message) -> Result<String, TemplateError> {
        let paragraphs: Vec<String> = text.trim().split("\n\n").map(|part| part.trim().replace('\n', " ")).collect();
        let (code, link) = match message {
            Message::Code { code, .. } => (code.expose(), ""),
            Message::Link { link, .. } => ("", link.expose()),
            Message::Notice(_) => ("", ""),
        };
        let language = &self.wording.language;
        self.render(LAYOUT, &context! { language, subject, paragraphs, code, link })
    }

    /// The text message that carries a code; its last line has browsers fill the code in (WebOTP). What carries none has the
    /// subject of its mail.
    ///
    /// # Errors
    /// None for templates that were loaded.
    pub fn text_message(&self, message: &Message, moment: Moment) -> Result<String, TemplateError> {
        let Message::Code { code, .. } = message else { return Ok(self.mail(message, moment)?.subject) };
        let name = format!("{}.sms", message.kind().name());
        let text = self.render(&name, &self.values(message, moment))?;
        Ok(format!("{}\n\n@{} #{}", text.trim(), self.wording.domain, code.expose()))
    }
}

/// Puts the files of a directory in the place of others of the same name.
fn read_directory(directory: &Path, sources: &mut BTreeMap<String, String>) -> Result<(), TemplateError> {
    let failed = |source| TemplateError::Read { path: directory.to_owned(), source };
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        match sources.get_mut(name) {
            Some(source) => *source = std::fs::read_to_string(&path).map_err(failed)?.replace("\r\n", "\n"),
            None => {
                let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                return Err(TemplateError::Unknown { path, known: known.join(", ") });
            }
        }
    }
    Ok(())
}

/// Such as `2026-03-01 12:00 UTC`.
fn utc_minute(time: Timestamp) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(time.as_millis()).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A message of each kind, and the value that it must show.
fn samples() -> impl Iterator<Item = (Message, &'static str, &'static str)> {
    const CODE: &str = "314159";
    const URL: &str = "https://app.example/link?token=sample";
    let valid_for = Duration::from_secs(180);
    let purposes = [CodePurpose::SignIn, CodePurpose::Enrolment, CodePurpose::StepUp, CodePurpose::Removal];
    let codes = purposes.map(|purpose| {
        let code = OneTimeCode::chosen(CODE).expect("it is short");
        (Message::Code { purpose, code, valid_for }, "code", CODE)
    });
    let purposes = [
        LinkPurpose::PasswordReset,
        LinkPurpose::AddressVerification,
        LinkPurpose::AddressChange,
        LinkPurpose::AddressChangeUndo,
        LinkPurpose::AccountDeletion,
        LinkPurpose::SignIn,
    ];
    let links = purposes.map(|purpose| {
        let message = Message::Link { purpose, link: Link::new(URL.to_owned()), valid_for };
        (message, "link", URL)
    });
    let notices = [
        Notice::FactorAdded,
        Notice::FactorRemoved,
        Notice::TwoFactorDisabled,
        Notice::SecretShown,
        Notice::RecoveryCodeUsed { left: 7 },
        Notice::RecoveryCodesReplaced,
        Notice::PasswordChanged,
        Notice::DeviceTrusted,
        Notice::AddressChanged,
        Notice::AccountLocked,
        Notice::AccountUnlocked,
        Notice::AccountSuspended,
        Notice::RefreshTokenReused,
        Notice::SignInAfterLongAbsence,
        Notice::PasskeyMisused,
    ];
    let notices = notices.map(|notice| (Message::Notice(notice), "nothing", ""));
    codes.into_iter().chain(links).chain(notices)
}

/// A message of each kind, for tests and for showing templates.
pub fn sample_messages() -> impl Iterator<Item = Message> {
    samples().map(|(message, ..)| message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::message::MessageKind;
    use std::collections::BTreeSet;

    /// 2026-03-01T12:00:00Z
    const NOON: Timestamp = Timestamp::from_millis(1_772_366_400_000);

    fn wording(directory: Option<PathBuf>, language: &str) -> Wording {
        let (app_name, domain) = ("Tom & \"Jerry\"".to_owned(), "id.example".to_owned());
        Wording { app_name, domain, language: language.to_owned(), directory }
    }

    fn directory(language: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let own = directory.path().join(language);
        std::fs::create_dir(&own).expect("created");
        for (name, text) in files {
            std::fs::write(own.join(name), text).expect("written");
        }
        directory
    }

    /// What a user reads, kept in `templates/messages.golden.txt`: `UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn the_messages_read_well() {
        let templates = Templates::load(wording(None, "en")).expect("the built-in ones");
        let moment = Moment { created_at: NOON, now: NOON + Duration::from_secs(61) };
        let mut all = String::new();
        for message in sample_messages() {
            let mail = templates.mail(&message, moment).expect("rendered");
            let kind = message.kind().name();
            all += &format!("=== {kind}\nSubject: {}\n\n{}", mail.subject, mail.text);
            if matches!(message, Message::Code { .. }) {
                let text = templates.text_message(&message, moment).expect("rendered");
                assert!(text.is_ascii() && text.len() <= 160, "one text message of 7-bit characters: {text}");
                all += &format!("--- as a text message\n{text}\n");
                all += if message.kind() == MessageKind::SignInCode { "--- as HTML\n" } else { "" };
                all +=
                    &if message.kind() == MessageKind::SignInCode { format!("{}\n", mail.html) } else { String::new() };
            }
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/src/delivery/templates/messages.golden.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &all).expect("written");
        }
        assert_eq!(all, std::fs::read_to_string(&path).expect("the golden file"), "UPDATE_GOLDEN=1 writes it anew");
    }

    #[test]
    fn there_is_a_template_for_each_kind_and_none_besides() {
        let names: BTreeSet<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        let mut wanted: BTreeSet<String> = MessageKind::ALL.iter().map(|kind| format!("{}.txt", kind.name())).collect();
        wanted.insert(LAYOUT.to_owned());
        let codes = sample_messages().filter(|message| matches!(message, Message::Code { .. }));
        wanted.extend(codes.map(|message| format!("{}.sms", message.kind().name())));
        assert_eq!(names, wanted.iter().map(String::as_str).collect());
        let sampled: BTreeSet<MessageKind> = sample_messages().map(|message| message.kind()).collect();
        assert_eq!(sampled.len(), MessageKind::ALL.len(), "each kind is checked at the start");
    }

    #[test]
    fn neither_subject_nor_html_gives_anything_away() {
        let templates = Templates::load(wording(None, "en")).expect("the built-in ones");
        for (message, _, value) in samples() {
            let mail = templates.mail(&message, Moment { created_at: NOON, now: NOON }).expect("rendered");
            // Phones show subjects on locked screens.
            assert!(value.is_empty() || !mail.subject.contains(value), "{}", mail.subject);
            assert!(
                mail.html.contains("Tom &amp; &quot;Jerry&quot;") && !mail.html.contains("Tom & "),
                "{}",
                mail.html
            );
            assert!(mail.text.contains("Tom & \"Jerry\""), "text is not escaped: {}", mail.text);
        }
    }

    #[test]
    fn words_of_an_operator_take_the_place_of_the_built_in_ones() {
        let french = directory("fr", &[("factor-added.txt", "Subject: Un facteur\r\n\r\nAjouté le {{ time }}.\r\n")]);
        let templates = Templates::load(wording(Some(french.path().to_owned()), "fr")).expect("usable");
        let moment = Moment { created_at: NOON, now: NOON };
        let mail = templates.mail(&Message::Notice(Notice::FactorAdded), moment).expect("rendered");
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("Un facteur", "Ajouté le 2026-03-01 12:00 UTC.\n"));
        assert!(mail.html.contains("<html lang=\"fr\">") && mail.html.contains("Ajouté"), "{}", mail.html);
        let other = templates.mail(&Message::Notice(Notice::SecretShown), moment).expect("rendered");
        assert!(other.subject.contains("Tom"), "what has no translation is in English");
    }

    #[test]
    fn how_many_recovery_codes_are_left_is_said_and_a_warning_below_three() {
        let templates = Templates::load(wording(None, "en")).expect("the built-in ones");
        let said = |left| {
            let message = Message::Notice(Notice::RecoveryCodeUsed { left });
            templates.mail(&message, Moment { created_at: NOON, now: NOON }).expect("rendered").text
        };
        for (left, words) in [
            (3, "3 are left.\n"),
            (2, "2 are left. Make new ones.\n"),
            (1, "One is left: make new ones.\n"),
            (0, "None is left: make new ones.\n"),
        ] {
            assert!(said(left).contains(words), "{}", said(left));
        }
    }

    #[test]
    fn a_message_is_in_the_first_language_that_there_is() {
        let names = ["de", "pt-BR"];
        let own = directory("fr", &[("factor-added.txt", "Subject: fr\n\nx\n")]);
        for name in names {
            std::fs::create_dir(own.path().join(name)).expect("created");
            let text = format!("Subject: {name}\n\nx\n");
            std::fs::write(own.path().join(name).join("factor-added.txt"), text).expect("written");
        }
        std::fs::create_dir(own.path().join(".git")).expect("created");
        std::fs::write(own.path().join("README"), "not a language").expect("written");
        let path = Some(own.path().to_owned());
        let french = Language::parse("FR").expect("a language");
        let catalogue = Catalogue::load(wording(path.clone(), "de"), [&french]).expect("usable");
        let moment = Moment { created_at: NOON, now: NOON };
        for (wanted, subject) in [
            ("fr-CA, de", "fr"),
            ("pt-BR", "pt-BR"),
            ("pt", "de"),
            ("de-AT;q=0.1, fr;q=0", "de"),
            // Nobody has put English there.
            ("en", "de"),
            ("", "de"),
        ] {
            let templates = catalogue.in_one_of(&Languages::accepted(wanted));
            let mail = templates.mail(&Message::Notice(Notice::FactorAdded), moment).expect("rendered");
            assert_eq!(mail.subject, subject, "{wanted}");
        }
        let english = Catalogue::load(wording(path.clone(), "en"), []).expect("usable");
        let templates = english.in_one_of(&Languages::accepted("en-GB, fr"));
        assert!(
            templates.mail(&Message::Notice(Notice::FactorAdded), moment).expect("rendered").subject.contains("Tom")
        );
        let swedish = Language::parse("sv").expect("a language");
        let error = Catalogue::load(wording(path.clone(), "de"), [&swedish]).expect_err("a tenant needs it");
        assert!(error.to_string().contains("<messages.templates>/sv"), "{error}");
        std::fs::create_dir(own.path().join("not_a language")).expect("created");
        let error = Catalogue::load(wording(path, "de"), []).expect_err("it is none");
        assert!(error.to_string().contains("not_a language is not named like a language"), "{error}");
    }

    #[test]
    fn mistakes_show_at_the_start() {
        for (name, text, problem) in [
            ("sign-in-code.txt", "Subject: x\n\nNo code.\n", "sign-in-code.txt does not show the placeholder code"),
            ("sign-in-code.sms", "No code.\n", "sign-in-code.sms does not show the placeholder code"),
            ("password-reset-link.txt", "Subject: x\n\nx\n", "does not show the placeholder link"),
            ("layout.html", "<p>{{ subject }}</p>", "layout.html does not show the placeholder code"),
            ("factor-added.txt", "Subject: x\n\n{{ code }}\n", "failed to render the template factor-added.txt"),
            ("factor-added.txt", "Subject: x\n\n{{ app\n", "failed to render the template factor-added.txt"),
            ("factor-added.txt", "Hello\n", "does not begin with a line `Subject: …`"),
            ("factor-aded.txt", "Subject: x\n\nx\n", "factor-aded.txt is no template"),
        ] {
            let own = directory("en", &[(name, text)]);
            let error = Templates::load(wording(Some(own.path().to_owned()), "en")).expect_err(name);
            assert!(error.to_string().contains(problem), "{error}");
        }
        let error = Templates::load(wording(None, "de")).expect_err("no such language");
        assert!(error.to_string().contains("<messages.templates>/de"), "{error}");
    }

    #[test]
    fn a_text_message_ends_with_the_line_that_browsers_look_for() {
        let templates = Templates::load(wording(None, "en")).expect("the built-in ones");
        let code = OneTimeCode::chosen("123456").expect("a code");
        let message = Message::Code { purpose: CodePurpose::SignIn, code, valid_for: Duration::from_secs(60) };
        let text = templates.text_message(&message, Moment { created_at: NOON, now: NOON }).expect("rendered");
        assert_eq!(text.lines().last(), Some("@id.example #123456"));
    }
}
