//! The tables, in the column types that both databases have.

diesel::table! {
    accounts (id) {
        id -> Text,
        tenant_id -> Text,
        email -> Nullable<Text>,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        username_form -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        name -> Text,
        email_verified -> Bool,
        image -> Nullable<Text>,
        profile -> Text,
        password_hash -> Nullable<Text>,
        password_changed_at -> BigInt,
        password_change_required -> Bool,
        is_active -> Bool,
        expires_at -> Nullable<BigInt>,
        two_factor_enabled -> Bool,
        credentials_version -> BigInt,
        factors_version -> BigInt,
        failed_attempts -> BigInt,
        consecutive_locks -> BigInt,
        locked_until -> Nullable<BigInt>,
        last_sign_in_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        guesses_decay_at -> Nullable<BigInt>,
        limits_epoch -> BigInt,
        suspended_until -> Nullable<BigInt>,
        suspended_at -> Nullable<BigInt>,
        suspended_by -> Nullable<Text>,
        suspension_comment -> Nullable<Text>,
        wrong_guess -> Nullable<Binary>,
    }
}

diesel::table! {
    known_networks (digest) {
        digest -> Binary,
        account_id -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    methods (id) {
        id -> Text,
        account_id -> Text,
        handle -> Text,
        kind -> Text,
        name -> Nullable<Text>,
        address -> Nullable<Text>,
        key_id -> Nullable<Text>,
        sealed_secret -> Nullable<Binary>,
        last_step -> Nullable<BigInt>,
        confirmed_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        proved_at -> Nullable<BigInt>,
        created_at -> BigInt,
        secret_fingerprint -> Nullable<Binary>,
    }
}

diesel::table! {
    spent_steps (secret_fingerprint) {
        secret_fingerprint -> Binary,
        account_id -> Text,
        last_step -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    keyring_canaries (number) {
        number -> BigInt,
        key_id -> Text,
        sealed -> Binary,
        secrets_bound_from -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    keyring_keys (key_id) {
        key_id -> Text,
        seen_at -> BigInt,
        active_until -> Nullable<BigInt>,
        resealed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    keyring_nodes (id) {
        id -> Text,
        key_ids -> Text,
        active_ids -> Text,
        seen_at -> BigInt,
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
        credentials_version -> BigInt,
        factors_version -> BigInt,
        signed_in_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        expires_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    challenges (digest) {
        digest -> Binary,
        account_id -> Text,
        tries -> BigInt,
        failures -> BigInt,
        is_remembered -> Bool,
        application_id -> Nullable<Text>,
        state -> Nullable<Text>,
        trust_challenge -> Nullable<Binary>,
        credentials_version -> BigInt,
        factors_version -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        first_factor -> Text,
        client_network -> Nullable<Binary>,
        known_network -> Nullable<Binary>,
    }
}

diesel::table! {
    mailed_codes (subject) {
        subject -> Text,
        account_id -> Text,
        method_id -> Nullable<Text>,
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
        application_id -> Nullable<Text>,
        credentials_version -> BigInt,
        factors_version -> BigInt,
        given_at -> Nullable<BigInt>,
        created_at -> BigInt,
        expires_at -> BigInt,
        replaces -> Nullable<Binary>,
        id -> Nullable<Text>,
        name -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    budgets (name) {
        name -> Text,
        spent -> BigInt,
        expires_at -> BigInt,
        account_id -> Nullable<Text>,
        counts -> Nullable<Text>,
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
        api_key_id -> Nullable<Text>,
        actor -> Nullable<Text>,
        operator -> Nullable<Text>,
        request_id -> Nullable<Text>,
        trace_id -> Nullable<Text>,
        mac -> Nullable<Binary>,
        block -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_blocks (number) {
        number -> BigInt,
        previous -> Binary,
        events -> BigInt,
        first_at -> BigInt,
        last_at -> BigInt,
        unsigned_until -> BigInt,
        hash -> Binary,
        entries -> Binary,
        is_checkpoint -> Bool,
        key_id -> Text,
        mac -> Binary,
    }
}

diesel::table! {
    registrations (id) {
        id -> Text,
        account_id -> Text,
        application_id -> Text,
        roles -> Text,
        username -> Nullable<Text>,
        data -> Nullable<Text>,
        last_sign_in_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (digest) {
        digest -> Binary,
        family_id -> Text,
        account_id -> Text,
        application_id -> Text,
        second_factor_at -> Nullable<BigInt>,
        signed_in_at -> BigInt,
        used_at -> Nullable<BigInt>,
        credentials_version -> BigInt,
        factors_version -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        device -> Nullable<Text>,
        ip_address -> Nullable<Text>,
    }
}

diesel::table! {
    tickets (digest) {
        digest -> Binary,
        kind -> Text,
        account_id -> Text,
        trust_challenge -> Nullable<Binary>,
        state -> Nullable<Text>,
        credentials_version -> BigInt,
        factors_version -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    former_addresses (digest) {
        digest -> Binary,
        account_id -> Text,
        address -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        digest -> Binary,
        name -> Text,
        tenant_id -> Nullable<Text>,
        permissions -> Nullable<Text>,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    messages (id) {
        id -> Text,
        account_id -> Text,
        kind -> Text,
        channel -> Text,
        topic -> Nullable<Binary>,
        key_id -> Text,
        sealed -> Binary,
        state -> Text,
        attempts -> BigInt,
        next_attempt_at -> Nullable<BigInt>,
        lease_owner -> Nullable<Text>,
        created_at -> BigInt,
        dead_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    webhook_events (event_id, receiver) {
        event_id -> Text,
        receiver -> Text,
        event_type -> Text,
        account_id -> Text,
        body -> Text,
        attempts -> BigInt,
        next_attempt_at -> BigInt,
        lease_owner -> Nullable<Text>,
        created_at -> BigInt,
        dead_at -> BigInt,
    }
}

diesel::table! {
    passkeys (id) {
        id -> Text,
        account_id -> Text,
        handle -> Text,
        credential_id -> Binary,
        relying_party -> Text,
        public_key -> Binary,
        counter -> BigInt,
        name -> Nullable<Text>,
        transports -> Text,
        aaguid -> Binary,
        user_verified -> Bool,
        backup_eligible -> Bool,
        backed_up -> Bool,
        attestation -> Text,
        attestation_object -> Nullable<Binary>,
        last_used_at -> Nullable<BigInt>,
        created_at -> BigInt,
        user_name -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        discoverable -> Nullable<Bool>,
        imported -> Bool,
    }
}

diesel::table! {
    passkey_ceremonies (digest) {
        digest -> Binary,
        challenge -> Binary,
        purpose -> Text,
        relying_party -> Text,
        account_id -> Nullable<Text>,
        sign_in -> Nullable<Binary>,
        session_id -> Nullable<Text>,
        demands_verification -> Bool,
        credentials_version -> BigInt,
        factors_version -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        name -> Nullable<Text>,
        user_name -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        application_id -> Nullable<Text>,
        passkey_id -> Nullable<Text>,
        state -> Nullable<Text>,
    }
}

diesel::joinable!(passkeys -> accounts (account_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(challenges -> accounts (account_id));
diesel::joinable!(tickets -> accounts (account_id));
diesel::joinable!(former_addresses -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    sessions,
    challenges,
    methods,
    backup_codes,
    tickets,
    former_addresses,
    passkeys,
    refresh_tokens
);
