//! The tables, in the column types that both databases have.

diesel::table! {
    accounts (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        email_verified -> Bool,
        image -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        two_factor_enabled -> Bool,
        credentials_version -> BigInt,
        failed_attempts -> BigInt,
        consecutive_locks -> BigInt,
        locked_until -> Nullable<BigInt>,
        last_sign_in_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    authenticators (id) {
        id -> Text,
        account_id -> Text,
        key_id -> Text,
        sealed_secret -> Binary,
        last_step -> Nullable<BigInt>,
        confirmed_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    backup_codes (id) {
        id -> Text,
        account_id -> Text,
        selector -> Binary,
        hash -> Text,
        is_pending -> Bool,
        used_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        account_id -> Text,
        token_digest -> Binary,
        is_remembered -> Bool,
        second_factor_at -> Nullable<BigInt>,
        ip_address -> Text,
        user_agent -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    challenges (digest) {
        digest -> Binary,
        account_id -> Text,
        tries -> BigInt,
        failures -> BigInt,
        is_remembered -> Bool,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    mailed_codes (subject) {
        subject -> Text,
        account_id -> Text,
        mac -> Binary,
        tries -> BigInt,
        failures -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    trusted_devices (digest) {
        digest -> Binary,
        account_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    budgets (name) {
        name -> Text,
        spent -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Text,
        at -> BigInt,
        kind -> Text,
        account_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        factor -> Nullable<Text>,
        dialect -> Text,
        ip_address -> Text,
    }
}

diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(challenges -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, sessions, challenges, authenticators, backup_codes);
