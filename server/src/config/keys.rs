//! The table of settings. Flags, environment variables, keys of the file, `--help` and `check-config` follow from it.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use toml::Value;

/// Where a setting can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Flag, environment and file.
    Everywhere,
    /// Other users of the machine can read a command line, and files get committed.
    EnvironmentOnly,
}

/// How much of a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Plain,
    /// A URL, shown without user and password.
    WithoutCredentials,
    Secret,
}

macro_rules! settings {
    ($($key:ident = $name:literal, $variable:literal, $value:literal, $default:literal, $scope:ident, $visibility:ident, $help:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($key,)*
        }

        impl Key {
            /// In the order of `--help` and `check-config`.
            pub const ALL: &[Self] = &[$(Self::$key),*];

            /// The name in the configuration file; a dot separates table and key.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$key => $name),* }
            }

            #[must_use]
            pub const fn variable(self) -> &'static str {
                match self { $(Self::$key => $variable),* }
            }

            /// Placeholder of the value in `--help`.
            #[must_use]
            pub const fn value_name(self) -> &'static str {
                match self { $(Self::$key => $value),* }
            }

            /// The default, described where it depends on other settings.
            #[must_use]
            pub const fn default_in_words(self) -> &'static str {
                match self { $(Self::$key => $default),* }
            }

            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$key => $help),* }
            }

            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Self::$key => Scope::$scope),* }
            }

            #[must_use]
            pub const fn visibility(self) -> Visibility {
                match self { $(Self::$key => Visibility::$visibility),* }
            }
        }
    };
}

settings! {
    Listen = "listen", "COUNTERSIGN_LISTEN", "ADDRESS:PORT", "127.0.0.1:3000", Everywhere, Plain,
        "Address and port to listen on.";
    BaseUrl = "base_url", "COUNTERSIGN_BASE_URL", "URL", "http://localhost:<port> on loopback, else http://<listen>", Everywhere, Plain,
        "URL that clients use, without a path; https:// makes cookies Secure, and its origin is trusted.";
    AppName = "app_name", "COUNTERSIGN_APP_NAME", "TEXT", "Countersign", Everywhere, Plain,
        "Name that authenticator apps and mails show.";
    DataDir = "data_dir", "COUNTERSIGN_DATA_DIR", "DIRECTORY", "./countersign-data", Everywhere, Plain,
        "Directory of database, keyring and outbox, unless they are configured elsewhere.";
    Outbox = "outbox", "COUNTERSIGN_OUTBOX", "FILE", "<data_dir>/outbox.ndjson", Everywhere, Plain,
        "File that messages are appended to: all text messages, and mails while no mail server is configured.";
    TrustedOrigins = "trusted_origins", "COUNTERSIGN_TRUSTED_ORIGINS", "ORIGIN,...", "none but the base URL's", Everywhere, Plain,
        "Origins whose pages may send requests with cookies, such as https://app.example.com; * and ? are wildcards.";
    TrustedProxies = "trusted_proxies", "COUNTERSIGN_TRUSTED_PROXIES", "IP/CIDR,...", "none", Everywhere, Plain,
        "Proxies whose X-Forwarded-For is believed.";
    CookieDomain = "cookies.domain", "COUNTERSIGN_COOKIE_DOMAIN", "DOMAIN", "none: the base URL's host alone", Everywhere, Plain,
        "Domain whose hosts share the cookies, such as example.com for id.example.com and app.example.com.";
    CookieSameSite = "cookies.same_site", "COUNTERSIGN_COOKIE_SAME_SITE", "lax|strict|none", "lax", Everywhere, Plain,
        "Whether requests from pages of other sites carry the cookies; none needs an https base URL.";
    RateLimits = "rate_limits", "COUNTERSIGN_RATE_LIMITS", "on|off", "on", Everywhere, Plain,
        "Rate limits per client address and operation; those per account cannot be turned off.";
    DisabledPaths = "disabled_paths", "COUNTERSIGN_DISABLED_PATHS", "PATH,...", "none", Everywhere, Plain,
        "Operations to disable, such as /api/auth/sign-up/email; they respond with 404.";
    Dialects = "dialects", "COUNTERSIGN_DIALECTS", "NAME,...", "better-auth,fusionauth,admin", Everywhere, Plain,
        "APIs to serve: better-auth (/api/auth), fusionauth (/api), admin (/admin).";
    Docs = "docs", "COUNTERSIGN_DOCS", "on|off", "on", Everywhere, Plain,
        "Reference page at /docs; the contracts at /openapi are always served.";
    Profile = "profile", "COUNTERSIGN_PROFILE", "default|strict", "default", Everywhere, Plain,
        "strict: short lifetimes, no TOTP code of an earlier or later interval, no codes by e-mail; settings that are given win.";
    MailedCodes = "mailed_codes", "COUNTERSIGN_MAILED_CODES", "always|verified|never", "always", Everywhere, Plain,
        "Whether codes by e-mail are a second factor: at every address, at proved ones, or not at all; tenants may differ.";
    SignUp = "sign_up", "COUNTERSIGN_SIGN_UP", "on|off", "on", Everywhere, Plain,
        "Whether strangers can create accounts at /api/auth/sign-up/email, in tenants that do not say so themselves.";
    VerifiedEmail = "verified_email", "COUNTERSIGN_VERIFIED_EMAIL", "on|off", "off", Everywhere, Plain,
        "Whether users sign in only after their e-mail address is verified, in tenants that do not say so themselves.";
    SignInAfterVerification = "sign_in_after_verification", "COUNTERSIGN_SIGN_IN_AFTER_VERIFICATION", "on|off", "off", Everywhere, Plain,
        "Whether following a link that verifies an address signs in; a second factor is asked for all the same.";
    Passwordless = "passwordless", "COUNTERSIGN_PASSWORDLESS", "on|off", "on", Everywhere, Plain,
        "Whether codes at /api/passwordless, which may be mailed, sign in without a password; a second factor is asked for all the same.";
    DeleteAccount = "delete_account", "COUNTERSIGN_DELETE_ACCOUNT", "on|off", "on", Everywhere, Plain,
        "Whether users may delete their accounts at /api/auth/delete-user.";
    Tenants = "tenants", "COUNTERSIGN_TENANTS", "JSON", "one, called Default: c0de0000-0000-4000-8000-000000000001", Everywhere, Plain,
        "Tenants; the first is the one that users of the Better Auth API belong to: [{\"id\": UUID, \"name\": TEXT, \"login_policy\": \"Enabled|Disabled|Required\", \"methods\": [\"authenticator\", \"email\", \"sms\", \"passkey\"], \"mailed_codes\": \"always|verified|never\", \"sign_up\": true, \"verified_email\": false}]; in the file, [[tenants]] tables.";
    Applications = "applications", "COUNTERSIGN_APPLICATIONS", "JSON", "one, called Default: c0de0000-0000-4000-8000-000000000002", Everywhere, Plain,
        "Applications of the FusionAuth API: [{\"id\": UUID, \"name\": TEXT, \"tenant\": UUID, \"roles\": [TEXT], \"trust_policy\": \"Any|This|None\", \"refresh_tokens\": true, \"refresh_token_usage\": \"Reusable|OneTimeUse\", \"manages_factors\": false, \"links\": {\"change_password\": URL, \"verify_email\": URL, \"passwordless\": URL}}]; in the file, [[applications]] tables.";
    Webhooks = "webhooks", "COUNTERSIGN_WEBHOOKS", "JSON", "none", Everywhere, Secret,
        "Servers that events are sent to, signed, in FusionAuth's form: [{\"name\": TEXT, \"url\": URL, \"events\": [\"user.login.success\"], \"tenant\": UUID, \"secret_file\": FILE, \"secret\": TEXT, \"allow_private_addresses\": false, \"allow_http\": false}]; in the file, [[webhooks]] tables.";
    RefreshTokenUsage = "refresh_token_usage", "COUNTERSIGN_REFRESH_TOKEN_USAGE", "Reusable|OneTimeUse", "Reusable", Everywhere, Plain,
        "Whether a refresh token is good until it ends, or once for the next one; applications may differ.";
    Keyring = "keyring", "COUNTERSIGN_KEYRING", "FILE", "<data_dir>/keyring", Everywhere, Plain,
        "File with the keys that encrypt and sign; created by the first start on loopback, required elsewhere. A systemd credential named keyring takes its place.";
    Keys = "keys", "COUNTERSIGN_KEYS", "KEYRING", "read from the keyring file", EnvironmentOnly, Secret,
        "Text of the keyring, instead of a file.";
    PasswordBlocklist = "passwords.blocklist", "COUNTERSIGN_PASSWORD_BLOCKLIST", "on|off", "on", Everywhere, Plain,
        "Refuse new passwords that are common, or a name of the user or of the service.";
    PasswordLength = "passwords.min_length", "COUNTERSIGN_PASSWORD_MIN_LENGTH", "COUNT", "8", Everywhere, Plain,
        "Characters of a new password, at least; from 8 to 64.";
    PasskeyRpId = "passkeys.rp_id", "COUNTERSIGN_PASSKEYS_RP_ID", "DOMAIN", "the host of base_url", Everywhere, Plain,
        "Domain that passkeys are for (relying-party id): that of the pages that ask for them, or one above it. Passkeys of another domain are not offered.";
    PasskeyOrigins = "passkeys.origins", "COUNTERSIGN_PASSKEYS_ORIGINS", "ORIGIN,...", "those of base_url and trusted_origins that belong to the domain", Everywhere, Plain,
        "Origins of pages that may ask for passkeys, such as https://app.example.com, and of Android apps (android:apk-key-hash:...).";
    PasskeyUserVerification = "passkeys.user_verification", "COUNTERSIGN_PASSKEYS_USER_VERIFICATION", "preferred|required", "preferred", Everywhere, Plain,
        "Whether a passkey signs in only after its authenticator has verified the user, by PIN, finger or face; with preferred, one that has not counts as one factor.";
    PasskeyAttestation = "passkeys.attestation", "COUNTERSIGN_PASSKEYS_ATTESTATION", "none|direct", "none", Everywhere, Plain,
        "Whether authenticators are asked for a statement about their model; it is recorded, and not checked.";
    JwtAlgorithm = "jwt.algorithm", "COUNTERSIGN_JWT_ALGORITHM", "EdDSA|ES256|RS256", "EdDSA", Everywhere, Plain,
        "Signature algorithm of access tokens; RS256 needs a key from `countersign generate-keyring --rs256`.";
    JwtRetiringAlgorithms = "jwt.retiring_algorithms", "COUNTERSIGN_JWT_RETIRING_ALGORITHMS", "NAME,...", "none", Everywhere, Plain,
        "Algorithms that also sign valid access tokens, on other nodes or until now: their tokens are accepted, and their keys published.";
    JwtIssuer = "jwt.issuer", "COUNTERSIGN_JWT_ISSUER", "TEXT", "the base URL", Everywhere, Plain,
        "Issuer (`iss`) of access tokens.";
    DatabaseUrl = "database.url", "COUNTERSIGN_DATABASE_URL", "URL", "sqlite:<data_dir>/countersign.db", Everywhere, WithoutCredentials,
        "sqlite:PATH or postgres://user:password@host/database.";
    DatabaseTimeout = "database.timeout", "COUNTERSIGN_DATABASE_TIMEOUT", "SECONDS", "5", Everywhere, Plain,
        "Longest wait for a database connection or lock.";
    DatabaseConnections = "database.connections", "COUNTERSIGN_DATABASE_CONNECTIONS", "COUNT", "4", Everywhere, Plain,
        "Connections to the database; on SQLite, readers in addition to the one writer.";
    DatabaseCache = "database.cache", "COUNTERSIGN_DATABASE_CACHE", "BYTES", "16777216", Everywhere, Plain,
        "Memory for pages of the embedded database: of the connection that writes; each one that reads has an eighth of it.";
    DatabaseDeadline = "database.deadline", "COUNTERSIGN_DATABASE_DEADLINE", "SECONDS", "15", Everywhere, Plain,
        "Longest time for one transaction on PostgreSQL, retries included.";
    DatabaseMigrate = "database.migrate", "COUNTERSIGN_DATABASE_MIGRATE", "on|off", "on", Everywhere, Plain,
        "Whether a start applies pending migrations; if not, run `countersign migrate` first.";
    AuditRetention = "retention.audit_days", "COUNTERSIGN_AUDIT_RETENTION_DAYS", "DAYS", "365", Everywhere, Plain,
        "How long audit events are kept; 0 keeps them for ever.";
    HousekeepingInterval = "retention.interval", "COUNTERSIGN_HOUSEKEEPING_INTERVAL", "SECONDS", "60", Everywhere, Plain,
        "How often expired rows are deleted.";
    SmtpUrl = "smtp.url", "COUNTERSIGN_SMTP_URL", "URL", "none: mails go to the outbox", Everywhere, WithoutCredentials,
        "Mail server: smtps://user:password@host, or smtp:// (STARTTLS is required beyond loopback).";
    SmtpFrom = "smtp.from", "COUNTERSIGN_SMTP_FROM", "MAILBOX", "none", Everywhere, Plain,
        "Sender of mails, such as \"Example <no-reply@example.com>\".";
    SmtpHello = "smtp.hello", "COUNTERSIGN_SMTP_HELLO", "NAME", "the domain of smtp.from", Everywhere, Plain,
        "Name that the mail server is greeted with (EHLO); it should lead to this machine's address.";
    SmtpTls = "smtp.tls", "COUNTERSIGN_SMTP_TLS", "required|opportunistic|implicit|off", "as the URL says: implicit for smtps://, else required beyond loopback", Everywhere, Plain,
        "Encryption to the mail server: STARTTLS or nothing, STARTTLS if it is offered, TLS from the beginning, or none.";
    SmtpCa = "smtp.ca", "COUNTERSIGN_SMTP_CA", "FILE", "none: the operating system's", Everywhere, Plain,
        "Certificates (PEM) that the mail server's has to come from, instead of the operating system's.";
    SmsProvider = "sms.provider", "COUNTERSIGN_SMS_PROVIDER", "webhook|twilio", "webhook", Everywhere, Plain,
        "How the gateway for text messages is spoken to: a signed webhook (Standard Webhooks), or Twilio's API.";
    SmsUrl = "sms.url", "COUNTERSIGN_SMS_URL", "URL", "none: text messages go to the outbox", EnvironmentOnly, Secret,
        "Gateway for text messages: https://sms.example/send, or https://api.twilio.com.";
    SmsSecret = "sms.secret", "COUNTERSIGN_SMS_SECRET", "TEXT", "none", EnvironmentOnly, Secret,
        "Key of the webhook's signature (whsec_… or at least 24 characters), or Twilio's auth token.";
    SmsAccount = "sms.account", "COUNTERSIGN_SMS_ACCOUNT", "TEXT", "none", Everywhere, Plain,
        "SID of the account at Twilio.";
    SmsFrom = "sms.from", "COUNTERSIGN_SMS_FROM", "TEXT", "none", Everywhere, Plain,
        "Sender at Twilio: a number, or the SID of a messaging service.";
    SmsAllowHttp = "sms.allow_http", "COUNTERSIGN_SMS_ALLOW_HTTP", "on|off", "off", Everywhere, Plain,
        "Whether codes may go to a gateway on another machine unencrypted.";
    Notices = "messages.notices", "COUNTERSIGN_NOTICES", "on|off", "on with a mail server, else off", Everywhere, Plain,
        "Whether users get mail when factors, recovery codes, passwords or addresses change, devices are trusted or accounts are locked.";
    MessageLanguage = "messages.language", "COUNTERSIGN_MESSAGE_LANGUAGE", "NAME", "en", Everywhere, Plain,
        "Language of messages: a directory in messages.templates; en is built in.";
    MessageTemplates = "messages.templates", "COUNTERSIGN_MESSAGE_TEMPLATES", "DIRECTORY", "none: the built-in ones", Everywhere, Plain,
        "Directory with templates of messages, in a directory for each language; what is not there is built in.";
    ChangePasswordLink = "links.change_password", "COUNTERSIGN_CHANGE_PASSWORD_LINK", "URL", "<base_url>/password/change/{id}", Everywhere, Plain,
        "Page that a link of /api/user/forgot-password leads to, with {id} where the id goes; applications may differ.";
    VerifyEmailLink = "links.verify_email", "COUNTERSIGN_VERIFY_EMAIL_LINK", "URL", "<base_url>/email/verify/{id}", Everywhere, Plain,
        "Page that a link of /api/user/verify-email leads to, with {id} where the id goes; applications may differ.";
    PasswordlessLink = "links.passwordless", "COUNTERSIGN_PASSWORDLESS_LINK", "URL", "<base_url>/oauth2/passwordless/{id}", Everywhere, Plain,
        "Page that a link of /api/passwordless/send leads to, with {id} where the code goes; applications may differ.";
    MaxInFlight = "limits.max_in_flight", "COUNTERSIGN_MAX_IN_FLIGHT", "COUNT", "1024", Everywhere, Plain,
        "Requests processed at once; one client address gets a third of them, and more get a 503 response.";
    RequestTimeout = "limits.request_timeout", "COUNTERSIGN_REQUEST_TIMEOUT", "SECONDS", "30", Everywhere, Plain,
        "Longest time for one request, including reading its body.";
    BodyTimeout = "limits.body_timeout", "COUNTERSIGN_BODY_TIMEOUT", "SECONDS", "10", Everywhere, Plain,
        "Longest time for reading a request body; slower ones get a 503 response.";
    ConnectionIdle = "limits.connection_idle", "COUNTERSIGN_CONNECTION_IDLE", "SECONDS", "75", Everywhere, Plain,
        "How long a connection without a request is kept; longer than the proxy in front keeps it.";
    MaxBodyBytes = "limits.max_body_bytes", "COUNTERSIGN_MAX_BODY_BYTES", "BYTES", "65536", Everywhere, Plain,
        "Longest request body.";
    RateWindow = "limits.rate_window", "COUNTERSIGN_RATE_WINDOW", "SECONDS", "10", Everywhere, Plain,
        "Window of the rate limits per client address and operation.";
    GuessableRate = "limits.rate_guessable", "COUNTERSIGN_RATE_GUESSABLE", "COUNT", "3", Everywhere, Plain,
        "Requests in a window to an operation of the Better Auth API in which a secret can be guessed.";
    GeneralRate = "limits.rate_general", "COUNTERSIGN_RATE_GENERAL", "COUNT", "100", Everywhere, Plain,
        "Requests in a window to any other of its operations, and in the FusionAuth API until a credential was found to be valid.";
    ServiceRate = "limits.rate_service", "COUNTERSIGN_RATE_SERVICE", "COUNT", "1000", Everywhere, Plain,
        "Requests in a window to an operation of the FusionAuth API without a credential, and with one access token.";
    HashThreads = "limits.hash_threads", "COUNTERSIGN_HASH_THREADS", "COUNT", "one per core", Everywhere, Plain,
        "Passwords hashed at once; each takes 19 MiB of memory.";
    HashQueue = "limits.hash_queue", "COUNTERSIGN_HASH_QUEUE", "COUNT", "192", Everywhere, Plain,
        "Passwords that may wait to be hashed; one client address gets a third of them, and more get a 503 response.";
    CodesPerHour = "limits.codes_per_hour", "COUNTERSIGN_CODES_PER_HOUR", "COUNT", "10", Everywhere, Plain,
        "Codes sent to one account in an hour.";
    AccountFailures = "limits.account_failures", "COUNTERSIGN_ACCOUNT_FAILURES", "COUNT", "10", Everywhere, Plain,
        "Wrong codes in a row after which no second factor of an account is accepted for a while; from 3 to 10.";
    AccountLock = "limits.account_lock", "COUNTERSIGN_ACCOUNT_LOCK", "SECONDS", "900", Everywhere, Plain,
        "How long the first of such locks is; each one that follows is twice as long, up to a day. At least 900.";
    TextMessagesPerPrefix = "limits.text_messages_per_prefix", "COUNTERSIGN_TEXT_MESSAGES_PER_PREFIX", "COUNT", "50", Everywhere, Plain,
        "Text messages in a day to numbers that begin with the same six digits.";
    TextMessagesPerClient = "limits.text_messages_per_client", "COUNTERSIGN_TEXT_MESSAGES_PER_CLIENT", "COUNT", "20", Everywhere, Plain,
        "Text messages in a day at the request of one client network; services with an API key are not counted.";
    TextMessagesPerAccount = "limits.text_messages_per_account", "COUNTERSIGN_TEXT_MESSAGES_PER_ACCOUNT", "COUNT", "15", Everywhere, Plain,
        "Text messages in a day for one account, and to one number.";
    TextMessagesPerDay = "limits.text_messages_per_day", "COUNTERSIGN_TEXT_MESSAGES_PER_DAY", "COUNT", "1000", Everywhere, Plain,
        "Text messages in a day in all; those to numbers that are not proved yet are counted apart.";
    SessionIdle = "lifetimes.session_idle", "COUNTERSIGN_SESSION_IDLE", "SECONDS", "604800", Everywhere, Plain,
        "How long a session lives without use.";
    SessionLifetime = "lifetimes.session", "COUNTERSIGN_SESSION_LIFETIME", "SECONDS", "2592000", Everywhere, Plain,
        "How long a session lives after its sign-in, however it is used.";
    RefreshTokenIdle = "lifetimes.refresh_token_idle", "COUNTERSIGN_REFRESH_TOKEN_IDLE", "SECONDS", "2592000", Everywhere, Plain,
        "How long a refresh token lives without use.";
    RefreshTokenLifetime = "lifetimes.refresh_token", "COUNTERSIGN_REFRESH_TOKEN_LIFETIME", "SECONDS", "7776000", Everywhere, Plain,
        "How long after a login the last of its refresh tokens ends, however they are used.";
    TrustIdle = "lifetimes.trust_idle", "COUNTERSIGN_TRUST_IDLE", "SECONDS", "2592000", Everywhere, Plain,
        "How long a device stays trusted without use.";
    TrustLifetime = "lifetimes.trust", "COUNTERSIGN_TRUST_LIFETIME", "SECONDS", "7776000", Everywhere, Plain,
        "How long a device stays trusted after a second factor, however it is used.";
    AccessTokenLifetime = "lifetimes.access_token", "COUNTERSIGN_ACCESS_TOKEN_LIFETIME", "SECONDS", "3600", Everywhere, Plain,
        "How long an access token lives, at most a day: services that check the signature alone accept it until then.";
    AssuranceLifetime = "lifetimes.assurance", "COUNTERSIGN_ASSURANCE_LIFETIME", "SECONDS", "3600", Everywhere, Plain,
        "How long ago a second factor may have been passed when factors, recovery codes or the password are changed.";
    ResetLinkLifetime = "lifetimes.reset_link", "COUNTERSIGN_RESET_LINK_LIFETIME", "SECONDS", "3600", Everywhere, Plain,
        "How long a mailed link sets a new password.";
    VerificationLinkLifetime = "lifetimes.verification_link", "COUNTERSIGN_VERIFICATION_LINK_LIFETIME", "SECONDS", "3600", Everywhere, Plain,
        "How long a mailed link verifies an address, or makes it the user's.";
    SignInLinkLifetime = "lifetimes.sign_in_link", "COUNTERSIGN_SIGN_IN_LINK_LIFETIME", "SECONDS", "600", Everywhere, Plain,
        "How long a mailed link, or a code, signs in without a password.";
    DeletionLinkLifetime = "lifetimes.deletion_link", "COUNTERSIGN_DELETION_LINK_LIFETIME", "SECONDS", "86400", Everywhere, Plain,
        "How long a mailed link deletes an account.";
    RestorationLifetime = "lifetimes.address_restoration", "COUNTERSIGN_ADDRESS_RESTORATION_LIFETIME", "SECONDS", "604800", Everywhere, Plain,
        "How long a link in the notice to a former address gives it back; nobody else can take it meanwhile.";
    LongAbsence = "lifetimes.long_absence", "COUNTERSIGN_LONG_ABSENCE", "SECONDS", "7776000", Everywhere, Plain,
        "How long ago the last sign-in of an account may lie without a notice to its user about the next one.";
    OperationsListen = "operations.listen", "COUNTERSIGN_OPERATIONS_LISTEN", "ADDRESS:PORT", "none: no metrics are served", Everywhere, Plain,
        "Address and port of /metrics, with /healthz and /readyz beside it, such as 127.0.0.1:9464; nobody has to authenticate there.";
    TracesEndpoint = "traces.endpoint", "COUNTERSIGN_TRACES_ENDPOINT", "URL", "none: no traces are made", Everywhere, Plain,
        "Collector of traces that takes OTLP over HTTP, such as http://127.0.0.1:4318; headers for it are in OTEL_EXPORTER_OTLP_HEADERS.";
    TracesPercent = "traces.percent", "COUNTERSIGN_TRACES_PERCENT", "COUNT", "100", Everywhere, Plain,
        "How many of a hundred requests are traced.";
    LogLevel = "log.level", "COUNTERSIGN_LOG", "LEVEL", "info", Everywhere, Plain,
        "off, critical, error, warning, info, debug or trace.";
    LogFormat = "log.format", "COUNTERSIGN_LOG_FORMAT", "text|json", "text", Everywhere, Plain,
        "Format of the log on standard error.";
    LogSuccessPercent = "log.success_percent", "COUNTERSIGN_LOG_SUCCESS_PERCENT", "COUNT", "100", Everywhere, Plain,
        "How many of a hundred successful requests are logged; requests that fail always are.";
    ValidateResponses = "validate_responses", "COUNTERSIGN_VALIDATE_RESPONSES", "on|off", "off", Everywhere, Plain,
        "Check each response against the contract and log deviations as errors; the response is sent anyway.";
    ShutdownGrace = "shutdown_grace", "COUNTERSIGN_SHUTDOWN_GRACE", "SECONDS", "10", Everywhere, Plain,
        "Time that requests in flight have to finish after SIGTERM.";
}

/// Prefix of every environment variable.
pub const PREFIX: &str = "COUNTERSIGN_";

/// Names the configuration file; not a setting, because it says where settings are.
pub const FILE_VARIABLE: &str = "COUNTERSIGN_CONFIG";

impl Key {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// The table of the configuration file that holds the key, if it is not the root.
    #[must_use]
    pub fn table(self) -> Option<&'static str> {
        self.name().split_once('.').map(|(table, _)| table)
    }

    /// Whether `value` has a type that the setting is read from. Text always is: flags and variables give nothing else.
    #[must_use]
    pub fn takes(self, value: &Value) -> bool {
        match (value, self.value_name()) {
            (Value::String(_), _)
            | (Value::Boolean(_), "on|off")
            | (Value::Integer(_), "COUNT" | "SECONDS" | "DAYS" | "BYTES") => true,
            (Value::Array(items), "JSON") => items.iter().all(Value::is_table),
            (Value::Array(items), name) => name.ends_with(",...") && items.iter().all(Value::is_str),
            _ => false,
        }
    }

    /// The flag, without its two dashes; derived from the variable.
    #[must_use]
    pub fn flag(self) -> &'static str {
        static FLAGS: LazyLock<BTreeMap<Key, String>> = LazyLock::new(|| {
            let flag = |key: &Key| key.variable().trim_start_matches(PREFIX).to_ascii_lowercase().replace('_', "-");
            Key::ALL.iter().map(|key| (*key, flag(key))).collect()
        });
        &FLAGS[&self]
    }

    /// Whether a change takes effect without a restart, on SIGHUP.
    #[must_use]
    pub fn is_reloaded(self) -> bool {
        matches!(self, Self::LogLevel | Self::MessageLanguage | Self::MessageTemplates | Self::SmtpCa)
    }

    /// Whether it is a switch that is off by default. Its flag needs no value.
    #[must_use]
    pub fn is_off_by_default(self) -> bool {
        self.value_name() == "on|off" && self.default_in_words() == "off"
    }

    /// `value` without its secret parts.
    #[must_use]
    pub fn redacted(self, value: &str) -> String {
        match self.visibility() {
            Visibility::Plain => value.to_owned(),
            Visibility::WithoutCredentials => super::secret::without_credentials(value),
            Visibility::Secret if value.is_empty() => String::new(),
            Visibility::Secret => "[redacted]".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_variables_and_flags_are_distinct() {
        for names in [
            Key::ALL.iter().map(|key| key.name().to_owned()).collect::<BTreeSet<_>>(),
            Key::ALL.iter().map(|key| key.variable().to_owned()).collect(),
            Key::ALL.iter().map(|key| key.flag().to_owned()).collect(),
        ] {
            assert_eq!(names.len(), Key::ALL.len());
        }
        assert!(Key::ALL.iter().all(|key| key.variable().starts_with(PREFIX)));
    }

    #[test]
    fn names_that_scripts_rely_on_stay() {
        let fixed = [
            "LISTEN",
            "BASE_URL",
            "DATA_DIR",
            "DATABASE_URL",
            "OUTBOX",
            "APP_NAME",
            "TRUSTED_ORIGINS",
            "TRUSTED_PROXIES",
            "RATE_LIMITS",
        ];
        for name in fixed {
            let variable = format!("{PREFIX}{name}");
            assert!(Key::ALL.iter().any(|key| key.variable() == variable), "{variable} is gone");
        }
    }
}
