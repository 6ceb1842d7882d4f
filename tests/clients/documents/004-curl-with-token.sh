ATHENA_AUTH_BASE_URL="http://localhost:3001/api/auth"
ATHENA_AUTH_TOKEN="<bearer-token>"

# Adjust payload fields using the OpenAPI schema in this page.

# auth.twoFactor.getTotpUri() -> POST /two-factor/get-totp-uri
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/get-totp-uri" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.verifyTotp() -> POST /two-factor/verify-totp
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/verify-totp" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.sendOtp() -> POST /two-factor/send-otp
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/send-otp" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.verifyOtp() -> POST /two-factor/verify-otp
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/verify-otp" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.verifyBackupCode() -> POST /two-factor/verify-backup-code
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/verify-backup-code" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.generateBackupCodes() -> POST /two-factor/generate-backup-codes
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/generate-backup-codes" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.enable() -> POST /two-factor/enable
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/enable" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'

# auth.twoFactor.disable() -> POST /two-factor/disable
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/disable" \
  -H "content-type: application/json" \
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \
  -d '{"...":"See OpenAPI requestBody schema"}'
