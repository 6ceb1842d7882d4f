CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE public.accounts (
    id text NOT NULL,
    email text,
    name text NOT NULL,
    email_verified boolean NOT NULL,
    image text,
    password_hash text,
    two_factor_enabled boolean NOT NULL,
    credentials_version bigint NOT NULL,
    failed_attempts bigint NOT NULL,
    consecutive_locks bigint NOT NULL,
    locked_until bigint,
    last_sign_in_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    tenant_id text NOT NULL,
    username text,
    username_key text,
    phone_number text,
    profile text NOT NULL,
    password_changed_at bigint NOT NULL,
    password_change_required boolean NOT NULL,
    is_active boolean NOT NULL,
    expires_at bigint
);
CREATE TABLE public.api_keys (
    id text NOT NULL,
    digest bytea NOT NULL,
    name text NOT NULL,
    tenant_id text,
    permissions text,
    created_at bigint NOT NULL,
    revoked_at bigint
);
CREATE TABLE public.audit_events (
    id text NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    account_id text,
    session_id text,
    factor text,
    dialect text NOT NULL,
    ip_address text NOT NULL,
    api_key_id text
);
CREATE TABLE public.backup_codes (
    id text NOT NULL,
    account_id text NOT NULL,
    selector bytea NOT NULL,
    hash text NOT NULL,
    is_pending boolean NOT NULL,
    used_at bigint,
    created_at bigint NOT NULL
);
CREATE TABLE public.budgets (
    name text NOT NULL,
    spent bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.challenges (
    digest bytea NOT NULL,
    account_id text NOT NULL,
    tries bigint NOT NULL,
    failures bigint NOT NULL,
    is_remembered boolean NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    application_id text,
    state text,
    trust_challenge bytea
);
CREATE TABLE public.mailed_codes (
    subject text NOT NULL,
    account_id text NOT NULL,
    mac bytea NOT NULL,
    tries bigint NOT NULL,
    failures bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    method_id text
);
CREATE TABLE public.methods (
    id text NOT NULL,
    account_id text NOT NULL,
    handle text NOT NULL,
    kind text NOT NULL,
    name text,
    address text,
    key_id text,
    sealed_secret bytea,
    last_step bigint,
    confirmed_at bigint,
    last_used_at bigint,
    created_at bigint NOT NULL
);
CREATE TABLE public.refresh_tokens (
    digest bytea NOT NULL,
    family_id text NOT NULL,
    account_id text NOT NULL,
    application_id text NOT NULL,
    second_factor_at bigint,
    signed_in_at bigint NOT NULL,
    used_at bigint,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.registrations (
    id text NOT NULL,
    account_id text NOT NULL,
    application_id text NOT NULL,
    roles text NOT NULL,
    username text,
    data text,
    last_sign_in_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.sessions (
    id text NOT NULL,
    account_id text NOT NULL,
    token_digest bytea NOT NULL,
    is_remembered boolean NOT NULL,
    second_factor_at bigint,
    ip_address text NOT NULL,
    user_agent text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.tickets (
    digest bytea NOT NULL,
    kind text NOT NULL,
    account_id text NOT NULL,
    trust_challenge bytea,
    state text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.trusted_devices (
    digest bytea NOT NULL,
    account_id text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    application_id text
);
ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.backup_codes
    ADD CONSTRAINT backup_codes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.budgets
    ADD CONSTRAINT budgets_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.challenges
    ADD CONSTRAINT challenges_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.mailed_codes
    ADD CONSTRAINT mailed_codes_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY public.methods
    ADD CONSTRAINT methods_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_token_digest_key UNIQUE (token_digest);
ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.trusted_devices
    ADD CONSTRAINT trusted_devices_pkey PRIMARY KEY (digest);
CREATE UNIQUE INDEX accounts_by_email ON public.accounts USING btree (tenant_id, email);
CREATE UNIQUE INDEX accounts_by_phone_number ON public.accounts USING btree (tenant_id, phone_number);
CREATE UNIQUE INDEX accounts_by_username ON public.accounts USING btree (tenant_id, username_key);
CREATE INDEX audit_events_by_account ON public.audit_events USING btree (account_id, at);
CREATE INDEX audit_events_by_time ON public.audit_events USING btree (at);
CREATE INDEX backup_codes_by_account ON public.backup_codes USING btree (account_id);
CREATE INDEX budgets_by_expiry ON public.budgets USING btree (expires_at);
CREATE INDEX challenges_by_account ON public.challenges USING btree (account_id);
CREATE INDEX challenges_by_expiry ON public.challenges USING btree (expires_at);
CREATE INDEX mailed_codes_by_account ON public.mailed_codes USING btree (account_id);
CREATE INDEX mailed_codes_by_expiry ON public.mailed_codes USING btree (expires_at);
CREATE UNIQUE INDEX methods_by_account ON public.methods USING btree (account_id, handle);
CREATE INDEX refresh_tokens_by_account ON public.refresh_tokens USING btree (account_id);
CREATE INDEX refresh_tokens_by_expiry ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX refresh_tokens_by_family ON public.refresh_tokens USING btree (family_id);
CREATE UNIQUE INDEX registrations_by_account ON public.registrations USING btree (account_id, application_id);
CREATE INDEX sessions_by_account ON public.sessions USING btree (account_id);
CREATE INDEX sessions_by_expiry ON public.sessions USING btree (expires_at);
CREATE INDEX tickets_by_account ON public.tickets USING btree (account_id);
CREATE INDEX tickets_by_expiry ON public.tickets USING btree (expires_at);
CREATE INDEX trusted_devices_by_account ON public.trusted_devices USING btree (account_id);
CREATE INDEX trusted_devices_by_expiry ON public.trusted_devices USING btree (expires_at);
ALTER TABLE ONLY public.backup_codes
    ADD CONSTRAINT backup_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.challenges
    ADD CONSTRAINT challenges_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.mailed_codes
    ADD CONSTRAINT mailed_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.methods
    ADD CONSTRAINT methods_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.trusted_devices
    ADD CONSTRAINT trusted_devices_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
INSERT INTO public.__diesel_schema_migrations (version) VALUES ('00000000000001');
INSERT INTO public.__diesel_schema_migrations (version) VALUES ('00000000000002');
