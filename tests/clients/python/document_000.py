"""What the published page of the generated Python client shows, as a table: operations, arguments, models."""

from dataclasses import dataclass

CLASS = "TwoFactorApi"
DEFAULT_HOST = "http://localhost:3000/api/auth"
STATUSES = (200, 400, 401, 403, 404, 429, 500)


@dataclass(frozen=True)
class Operation:
    """One operation as the page shows it."""

    method: str
    path: str
    returns: str
    # The name of the only argument, and its model; `None` where the page says that none is needed.
    argument: str | None
    takes: str | None

    def __str__(self):
        return self.method


OPERATIONS = (
    Operation(
        "two_factor_disable_post",
        "/two-factor/disable",
        "ResetPassword200Response",
        "two_factor_get_totp_uri_post_request",
        "TwoFactorGetTotpUriPostRequest",
    ),
    Operation(
        "two_factor_enable_post",
        "/two-factor/enable",
        "TwoFactorEnablePost200Response",
        "two_factor_enable_post_request",
        "TwoFactorEnablePostRequest",
    ),
    Operation(
        "two_factor_generate_backup_codes_post",
        "/two-factor/generate-backup-codes",
        "TwoFactorGenerateBackupCodesPost200Response",
        "two_factor_generate_backup_codes_post_request",
        "TwoFactorGenerateBackupCodesPostRequest",
    ),
    Operation(
        "two_factor_get_totp_uri_post",
        "/two-factor/get-totp-uri",
        "TwoFactorGetTotpUriPost200Response",
        "two_factor_get_totp_uri_post_request",
        "TwoFactorGetTotpUriPostRequest",
    ),
    Operation(
        "two_factor_send_otp_post",
        "/two-factor/send-otp",
        "ResetPassword200Response",
        None,
        None,
    ),
    Operation(
        "two_factor_verify_backup_code_post",
        "/two-factor/verify-backup-code",
        "TwoFactorVerifyBackupCodePost200Response",
        "two_factor_verify_backup_code_post_request",
        "TwoFactorVerifyBackupCodePostRequest",
    ),
    Operation(
        "two_factor_verify_otp_post",
        "/two-factor/verify-otp",
        "TwoFactorVerifyOtpPost200Response",
        "two_factor_verify_otp_post_request",
        "TwoFactorVerifyOtpPostRequest",
    ),
    Operation(
        "two_factor_verify_totp_post",
        "/two-factor/verify-totp",
        "ResetPassword200Response",
        "two_factor_verify_totp_post_request",
        "TwoFactorVerifyTotpPostRequest",
    ),
)

# The modules that the page's samples import their models from.
MODULES = {
    "ResetPassword200Response": "reset_password200_response",
    "TwoFactorEnablePost200Response": "two_factor_enable_post200_response",
    "TwoFactorEnablePostRequest": "two_factor_enable_post_request",
    "TwoFactorGenerateBackupCodesPost200Response": "two_factor_generate_backup_codes_post200_response",
    "TwoFactorGenerateBackupCodesPostRequest": "two_factor_generate_backup_codes_post_request",
    "TwoFactorGetTotpUriPost200Response": "two_factor_get_totp_uri_post200_response",
    "TwoFactorGetTotpUriPostRequest": "two_factor_get_totp_uri_post_request",
    "TwoFactorVerifyBackupCodePost200Response": "two_factor_verify_backup_code_post200_response",
    "TwoFactorVerifyBackupCodePostRequest": "two_factor_verify_backup_code_post_request",
    "TwoFactorVerifyOtpPost200Response": "two_factor_verify_otp_post200_response",
    "TwoFactorVerifyOtpPostRequest": "two_factor_verify_otp_post_request",
    "TwoFactorVerifyTotpPostRequest": "two_factor_verify_totp_post_request",
}
